#!/usr/bin/env bash
# libbpf and libelf as archives that can be linked into the addon: the distribution's are not position independent
# (libelf.a: R_X86_64_TPOFF32, libbpf.a: R_X86_64_PC32 against stderr). Built from the distribution's own sources.
STATIC_FOLDER=$TOOLS/static
STATIC_CFLAGS="-O2 -g0 -fPIC"

static_libraries_are_there() { [ -e "$STATIC_FOLDER/libbpf.a" ] && [ -e "$STATIC_FOLDER/libelf.a" ]; }

step_static_libraries() {
  local suite made=$TOOLS/cache/static
  find_mirror || return
  # The headers that the addon was compiled with are of this suite.
  suite=$(cat "$LIBBPF_FOLDER/suite" 2>/dev/null || echo "$CODENAME")
  as_builder rm -rf "$made"
  as_builder mkdir -p "$made/libbpf" "$made/elfutils"
  open_suite deb-src "$suite" main && unpack_source libbpf "$made" || return
  open_suite deb-src "$CODENAME" main && unpack_source elfutils "$made" || return
  build_static_libbpf "$made" && build_static_libelf "$made" || return
  as_builder mkdir -p "$STATIC_FOLDER"
  as_builder cp "$made/libbpf/src/libbpf.a" "$STATIC_FOLDER/libbpf.a"
  # Built for the shared library, so position independent.
  as_builder cp "$made/elfutils/libelf/libelf_pic.a" "$STATIC_FOLDER/libelf.a"
  as_builder rm -rf "$made"
}

unpack_source() { # PACKAGE FOLDER
  suite_apt source --download-only --tar-only "$1" || return
  as_builder tar -C "$2/$1" --strip-components 1 -xf "$SUITE_FOLDER/archives/$1"_*.orig.tar.* || return
  as_builder rm -rf "$SUITE_FOLDER"
}

build_static_libbpf() { # FOLDER
  as_builder make -C "$1/libbpf/src" -j2 NO_PKG_CONFIG=1 BUILD_STATIC_ONLY=y CFLAGS="$STATIC_CFLAGS" libbpf.a
}

# Only what reads ELF: without debuginfod and the compressions of debug sections, which no kernel object has.
build_static_libelf() { # FOLDER
  (
    cd "$1/elfutils" || return
    as_builder ./configure --disable-debuginfod --disable-libdebuginfod --disable-nls --without-bzlib --without-lzma \
      --without-zstd CFLAGS="-O2 -g0" || return
    as_builder make -C lib -j2 libeu.a && as_builder make -C libelf -j2 libelf_pic.a
  )
}
