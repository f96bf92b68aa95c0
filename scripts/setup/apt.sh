#!/usr/bin/env bash
# What is fetched from other suites of the machine's own mirror, with lists and caches of its own: the machine's package
# state stays as it is, and nothing is installed.

# Sets the distribution's id and codename, its keyring and its mirror as apt has it.
find_mirror() {
  # shellcheck source=/dev/null
  DISTRIBUTION=$(. /etc/os-release && echo "$ID")
  # shellcheck source=/dev/null
  CODENAME=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  KEYRING=/usr/share/keyrings/$DISTRIBUTION-archive-keyring.gpg
  mirror_of_apt
  # What the mirror is called is known once apt has its lists.
  if [ -z "$MIRROR" ] && [ "$(id -u)" = 0 ] && apt update; then mirror_of_apt; fi
  [ -n "$MIRROR" ] || { echo "apt knows no mirror of Debian or Ubuntu" && return 1; }
}

mirror_of_apt() {
  # shellcheck disable=SC2016 # apt-get expands these
  MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' |
    awk -v release="$CODENAME" '$2 == release && tolower($3) ~ /^(debian|ubuntu)$/ { print $1; exit }')
}

# Prepares SUITE_FOLDER for one suite and reads its lists; KIND is deb or deb-src.
open_suite() { # KIND SUITE COMPONENT
  SUITE_FOLDER=$TOOLS/cache/apt-$1-$2
  as_builder rm -rf "$SUITE_FOLDER"
  as_builder mkdir -p "$SUITE_FOLDER/lists/partial" "$SUITE_FOLDER/archives/partial" "$SUITE_FOLDER/unpacked"
  as_builder tee "$SUITE_FOLDER/sources.list" >/dev/null <<<"$1 [signed-by=$KEYRING] $MIRROR $2 $3"
  as_builder tee "$SUITE_FOLDER/apt.conf" >/dev/null <<END
Dir::Etc::sourcelist "$SUITE_FOLDER/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$SUITE_FOLDER/lists";
Dir::Cache "$SUITE_FOLDER";
APT::Sandbox::User "$(id -un "$BUILDER_UID")";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
  suite_apt update
}

# apt-get as SUITE_FOLDER configures it, in its folder for what is downloaded.
suite_apt() {
  (cd "$SUITE_FOLDER/archives" && as_builder apt-get -q -c "$SUITE_FOLDER/apt.conf" "$@")
}
