# The addon: loads the kernel programs with libbpf and drains their ring.
{
  # A folder with position independent archives, for an addon that has them inside (scripts/build-static.ts).
  "variables": { "static_libraries%": "" },
  "targets": [
    {
      "target_name": "nightjar_probe",
      "sources": [
        "addon/binding.cc",
        "addon/call_functions.cc",
        "addon/call_returns.cc",
        "addon/dns.cc",
        "addon/dns_fields.cc",
        "addon/encoder.cc",
        "addon/filters.cc",
        "addon/layout.cc",
        "addon/libbpf_log.cc",
        "addon/maps.cc",
        "addon/object.cc",
        "addon/offers.cc",
        "addon/pins.cc",
        "addon/reader.cc",
        "addon/resolved_paths.cc",
        "addon/ring.cc",
        "addon/syscalls.cc",
        "gen/tables.cc",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags_cc": [
        "-std=c++17", "-O3", "-fvisibility=hidden", "-fexceptions", "-Wall", "-Wextra", "-Wno-unused-parameter",
      ],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "conditions": [
        ["static_libraries==''", {
          # Debian's libbpf.a is not position independent.
          "libraries": ["-lbpf"],
        }, {
          # Their symbols are nobody else's: a libelf that something else loads must not be taken in their place.
          # libstdc++ and libgcc stay shared, as Node itself needs them, and their archives ask for a newer glibc:
          # Debian 12's take arc4random (2.36) and _dl_find_object (2.35).
          "libraries": [
            "-L<(static_libraries)", "-Wl,--exclude-libs,ALL", "-l:libbpf.a", "-l:libelf.a", "-l:libz.a", "-s",
          ],
        }],
      ],
    }
  ]
}
