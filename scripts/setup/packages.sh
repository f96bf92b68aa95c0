#!/usr/bin/env bash
# The distribution's packages: which are needed, which are missing, how they are installed.

# package, and a command on the PATH or a file (wildcards allowed) that shows that what it brings is there; with "?" the
# package is only wanted where the distribution has it: elsewhere another one brings the same
PACKAGES="
ca-certificates /etc/ssl/certs/ca-certificates.crt
clang clang
clang-format clang-format
db5.3-util db5.3_load
g++ g++
?libclang-rt-dev /usr/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a
libbpf-dev /usr/include/bpf/libbpf.h
libelf-dev /usr/include/libelf.h
llvm llvm-strip
make make
python3 python3
rpm rpmbuild
strace strace
zlib1g-dev /usr/include/zlib.h
"
# The same of what only the tests use: the engines whose containers they watch, what makes a network bad, a proxy, the
# database of a fleet's portals, a systemd to boot. Without them those tests are skipped.
TEST_PACKAGES="
?busybox-static busybox
?conmon conmon
?containerd containerd
?crun crun
?iproute2 ip
?nftables nft
?podman podman
?postgresql /usr/lib/postgresql/*/bin/postgres
?runc runc
?systemd systemd-analyze
?systemd-container systemd-nspawn
?tinyproxy-bin tinyproxy
"
# The major version of npm from which the options used here work.
NPM_MAJOR_MIN=7

npm_is_usable() {
  local version
  version=$(BUILDER_PATH=$PATH as_builder npm --version 2>/dev/null) || return
  [ "${version%%.*}" -ge "$NPM_MAJOR_MIN" ] 2>/dev/null
}

# Prints those of a list that are missing, in one line.
missing_of() { # LIST
  local missing="" package proof
  while read -r package proof; do
    case $proof in
      "") continue ;;
      /*) compgen -G "$proof" >/dev/null || missing+=" $package" ;;
      *) command -v "$proof" >/dev/null || missing+=" $package" ;;
    esac
  done <<<"$1"
  echo "${missing# }"
}

# npm is only wanted to bring Node and pnpm.
missing_packages() {
  local missing=""
  [ -n "${SKIP_PROBE:-}" ] || missing=$(missing_of "$PACKAGES")
  is_done toolchain || npm_is_usable || missing+=" npm"
  echo "${missing# }"
}

detail_packages() { echo ": $(missing_packages | tr -d \?)"; }

apt() {
  trace apt-get "$@"
  apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

has_candidate() { LC_ALL=C apt-cache policy "$1" | grep -q 'Candidate: [^(]'; }

step_packages() {
  # shellcheck disable=SC2046 # one word a package
  install_packages $(missing_packages)
}

# What cannot be installed is no reason to run no tests.
step_test_packages() {
  # shellcheck disable=SC2046
  install_packages $(missing_of "$TEST_PACKAGES") || true
}

detail_test_packages() { echo ": $(missing_of "$TEST_PACKAGES" | tr -d \?)"; }

install_packages() { # PACKAGE...
  export DEBIAN_FRONTEND=noninteractive
  local missing="" one updated=
  for one in "$@"; do
    # A machine whose package lists are empty or old knows no candidate.
    has_candidate "${one#\?}" || { [ -n "$updated" ] || apt update; updated=yes; }
    case $one in
      \?*) has_candidate "${one#\?}" && missing+=" ${one#\?}" ;;
      *) missing+=" $one" ;;
    esac
  done
  # shellcheck disable=SC2086 # one word a package
  apt install --yes --no-install-recommends $missing && return
  [ -z "$updated" ] || return 1
  apt update || return
  # shellcheck disable=SC2086
  apt install --yes --no-install-recommends $missing
}
