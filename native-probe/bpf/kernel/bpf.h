// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// eBPF's own objects: programs, maps, links.
#pragma once

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

// Only that they are enums matters: what is read is a number.
enum bpf_map_type___any { MAP_TYPE_ANY };
enum bpf_prog_type___any { PROGRAM_TYPE_ANY };

struct bpf_map {
    enum bpf_map_type___any map_type;
    u32 id;
    char name[16];
};

struct bpf_prog_aux {
    u32 id;
    char name[16];
};

struct bpf_prog {
    enum bpf_prog_type___any type;
    struct bpf_prog_aux *aux;
};

struct bpf_link {
    u32 id;
    struct bpf_prog *prog;
};

struct btf {
    u32 id;
};

#pragma clang attribute pop
