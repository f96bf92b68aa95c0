// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Numbers that the kernel wraps in structs.
#pragma once

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

typedef struct {
    u32 val;
} kuid_t;

typedef struct {
    u32 val;
} kgid_t;

typedef struct {
    u64 val;
} kernel_cap_t;

#pragma clang attribute pop
