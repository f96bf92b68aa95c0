#!/usr/bin/env bash
# nats-server, unpacked from the distribution's own package into .tools, so that no service is installed or started.
# Newer suites of the machine's own mirror come first: before 2.11.4 a work queue can stall after a crash
# (nats-server issue 6881), which the bus has to heal.
NATS_FOLDER=$TOOLS/nats-server

nats_server_is_there() {
  [ -n "${NIGHTJAR_BUS_SERVER_BINARY:-}" ] || command -v nats-server >/dev/null || [ -x "$NATS_FOLDER/nats-server" ]
}

# Sets the suites to try, their component and the keyring, for this distribution.
nats_suites() {
  local id codename
  # shellcheck source=/dev/null
  id=$(. /etc/os-release && echo "$ID")
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  case $id in
    debian) SUITES="sid trixie $codename" COMPONENT=main KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg ;;
    ubuntu) SUITES="devel noble $codename" COMPONENT=universe KEYRING=/usr/share/keyrings/ubuntu-archive-keyring.gpg ;;
    *) return 1 ;;
  esac
  # shellcheck disable=SC2016 # apt-get expands these
  MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' |
    awk -v release="$codename" '$2 == release && tolower($3) ~ /^(debian|ubuntu)$/ { print $1; exit }')
  [ -n "$MIRROR" ]
}

# apt-get with lists and caches of its own: the machine's package state stays as it is.
private_apt() { # FOLDER ARGUMENTS...
  local folder=$1
  shift
  as_builder apt-get -q -c "$folder/apt.conf" "$@"
}

unpack_from_suite() { # SUITE
  local folder=$TOOLS/cache/apt-$1
  as_builder rm -rf "$folder"
  as_builder mkdir -p "$folder/lists/partial" "$folder/archives/partial" "$folder/unpacked"
  as_builder tee "$folder/sources.list" >/dev/null <<<"deb [signed-by=$KEYRING] $MIRROR $1 $COMPONENT"
  as_builder tee "$folder/apt.conf" >/dev/null <<END
Dir::Etc::sourcelist "$folder/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$folder/lists";
Dir::Cache "$folder";
APT::Sandbox::User "$(id -un "$BUILDER_UID")";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
  private_apt "$folder" update || return
  (cd "$folder/archives" && private_apt "$folder" download nats-server) || return
  as_builder dpkg -x "$folder"/archives/nats-server_*.deb "$folder/unpacked" || return
  # A newer suite's program may ask for a newer C library than this machine has.
  as_builder "$folder/unpacked/usr/sbin/nats-server" --version || return
  as_builder mkdir -p "$NATS_FOLDER"
  as_builder mv "$folder/unpacked/usr/sbin/nats-server" "$NATS_FOLDER/nats-server"
  as_builder tee "$NATS_FOLDER/suite" >/dev/null <<<"$1"
  as_builder rm -rf "$folder"
}

step_nats_server() {
  local suite
  # What the mirror is called is known once apt has its lists.
  if ! nats_suites && [ "$(id -u)" = 0 ] && apt update; then nats_suites || true; fi
  [ -n "${MIRROR:-}" ] || { echo "apt knows no mirror of Debian or Ubuntu" && return 1; }
  for suite in $SUITES; do
    unpack_from_suite "$suite" && return
    echo "no nats-server for this machine in $suite"
  done
  return 1
}

result_nats_server() {
  echo ": $("$NATS_FOLDER/nats-server" --version) from $(cat "$NATS_FOLDER/suite")"
}
