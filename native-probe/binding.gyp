# The addon: loads the kernel programs with libbpf and drains their ring.
{
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
      # Debian's libbpf.a is not position independent.
      "libraries": ["-lbpf"],
    }
  ]
}
