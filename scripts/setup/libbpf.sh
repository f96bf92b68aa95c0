#!/usr/bin/env bash
# libbpf, built from the source package of a newer suite into .tools where the distribution's is too old: before 1.0 it
# cannot read the types (BTF_KIND_ENUM64) of the kernels that Ubuntu 22.04 runs now.
LIBBPF_FOLDER=$TOOLS/libbpf
LIBBPF_MAJOR_MIN=1

# Without the header, as before libbpf-dev is installed, nobody knows yet; the step itself looks again.
libbpf_is_there() {
  [ -n "${SKIP_PROBE:-}" ] || [ -e "$LIBBPF_FOLDER/lib/libbpf.so" ] || distribution_libbpf_suffices
}

distribution_libbpf_suffices() {
  local major
  # Before 0.6 there was no such header.
  major=$(sed -n 's/^#define LIBBPF_MAJOR_VERSION *//p' /usr/include/bpf/libbpf_version.h 2>/dev/null) || return
  [ "${major:-0}" -ge "$LIBBPF_MAJOR_MIN" ]
}

step_libbpf() {
  local suite suites
  distribution_libbpf_suffices && return
  find_mirror || return
  case $DISTRIBUTION in ubuntu) suites="noble devel" ;; *) suites="bookworm trixie sid" ;; esac
  for suite in $suites; do build_libbpf "$suite" && return; done
  return 1
}

build_libbpf() { # SUITE
  local made
  open_suite deb-src "$1" main && suite_apt source --download-only --tar-only libbpf || return
  as_builder tar -C "$SUITE_FOLDER/unpacked" --strip-components 1 -xf "$SUITE_FOLDER"/archives/libbpf_*.orig.tar.* ||
    return
  made=$SUITE_FOLDER/made
  as_builder make -C "$SUITE_FOLDER/unpacked/src" NO_PKG_CONFIG=1 PREFIX="$made" LIBDIR="$made/lib" \
    install install_uapi_headers || return
  as_builder rm -rf "$LIBBPF_FOLDER"
  as_builder mv "$made" "$LIBBPF_FOLDER"
  as_builder tee "$LIBBPF_FOLDER/suite" >/dev/null <<<"$1"
  # What was built against another libbpf, and turbo's memory of it.
  as_builder rm -rf "$SUITE_FOLDER" "$NIGHTJAR_ROOT/native-probe/build" "$NIGHTJAR_ROOT/.turbo"
}

result_libbpf() {
  if [ ! -e "$LIBBPF_FOLDER/suite" ]; then echo ": the distribution's"; return; fi
  echo ": built from $(cat "$LIBBPF_FOLDER/suite")"
}

# Prints the variables with which compilers and linker find it, where it is there.
libbpf_variables() {
  [ -e "$LIBBPF_FOLDER/lib/libbpf.so" ] || return 0
  echo "CPATH=$LIBBPF_FOLDER/include LIBRARY_PATH=$LIBBPF_FOLDER/lib LD_RUN_PATH=$LIBBPF_FOLDER/lib"
}
