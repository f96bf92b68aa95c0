#!/usr/bin/env bash
# Readies Debian's kernels to be booted by tests/kernels/run.ts: tests/kernels/prepare.sh SUITE...
# Each is downloaded from the machine's own mirror into .tools/kernels/SUITE and never installed; what is there stays.
set -euo pipefail
NIGHTJAR_ROOT=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
# shellcheck source=scripts/setup/setup.sh
source "$NIGHTJAR_ROOT/scripts/setup/setup.sh"
KERNELS=$TOOLS/kernels
PACKAGES="
busybox-static /bin/busybox
clang clang
cpio cpio
kmod modprobe
qemu-system-x86 qemu-system-x86_64
xz-utils xz
"
# What the first program needs to mount this machine's files; everything else is loaded from there.
MODULES="virtio_pci virtio_console virtio_rng 9pnet_virtio 9p overlay"

# Security suites have a mirror of their own; apt knows it from this machine's own suite.
mirror_of_suite() { # SUITE
  find_mirror
  [[ $1 == *-security ]] || return 0
  # shellcheck disable=SC2016 # apt-get expands these
  MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(SUITE) $(CODENAME) $(RELEASE)' 'Created-By: Packages' |
    awk '/-security/ { print $1; exit }')
  [ -n "$MIRROR" ] || fail "apt knows no mirror of Debian's security suites"
}

# The packages that make up the newest kernel: what the empty one depends on, which may be empty again (since 7).
kernel_packages() {
  apt-cache -c "$SUITE_FOLDER/apt.conf" depends --recurse --important linux-image-amd64 |
    sed -n 's/^ *Depends: \(linux-[a-z]*-[0-9].*\)/\1/p' | sort -u
}

fetch_kernel() { # SUITE
  local folder=$KERNELS/$1 packages package modules
  mirror_of_suite "$1"
  open_suite deb "$1" main
  packages=$(kernel_packages)
  # shellcheck disable=SC2086 # one word a package
  suite_apt download $packages
  rm -rf "$folder"
  mkdir -p "$folder"
  for package in "$SUITE_FOLDER"/archives/*.deb; do dpkg -x "$package" "$folder"; done
  rm -rf "$SUITE_FOLDER"
  # Newer packages have modules in /usr/lib, some besides /lib; modprobe looks below lib.
  mkdir -p "$folder/lib/modules"
  [ ! -d "$folder/usr/lib/modules" ] || cp -al "$folder/usr/lib/modules/." "$folder/lib/modules/"
  rm -rf "$folder/usr"
  modules=$(echo "$folder"/lib/modules/*)
  mv "$folder"/boot/vmlinuz-* "$folder/vmlinuz" 2>/dev/null || mv "$modules/vmlinuz" "$folder/vmlinuz"
  depmod -b "$folder" "${modules##*/}"
  echo "${modules##*/}" >"$folder/release"
}

# The first file system: busybox, the modules, and the program that mounts the rest.
make_initrd() { # SUITE
  local folder=$KERNELS/$1 release made module file path
  release=$(cat "$folder/release")
  made=$(mktemp -d "$folder/initrd.XXXXXX")
  mkdir -p "$made"/{bin,proc,sys,dev}
  cp /bin/busybox "$made/bin/busybox"
  for module in $MODULES; do
    modprobe -d "$folder" -S "$release" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | sort -u | while read -r file; do
    path=$made/${file#"$folder"/}
    mkdir -p "$(dirname "$path")"
    cp "$file" "$path"
    case $path in *.xz) xz -d "$path" ;; *.zst) zstd -q -d --rm "$path" ;; esac
  done
  cp "$folder/lib/modules/$release"/modules.{order,builtin*} "$made/lib/modules/$release/"
  depmod -b "$made" "$release"
  install -m 755 "$NIGHTJAR_ROOT/tests/kernels/init.sh" "$made/init"
  (cd "$made" && find . | cpio -o -H newc --quiet | gzip -1) >"$folder/initrd.img"
  rm -rf "$made"
}

choose_builder
mkdir -p "$KERNELS"
[ -z "$(missing_packages)" ] || step_packages >&2
for suite in "$@"; do
  [ -e "$KERNELS/$suite/release" ] || fetch_kernel "$suite" >&2
  make_initrd "$suite"
  echo "$suite $(cat "$KERNELS/$suite/release")"
done
