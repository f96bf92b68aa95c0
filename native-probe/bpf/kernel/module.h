// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What the kernel keeps of each of its modules.
#pragma once

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct module {
    char name[56];
    unsigned long taints;
};

#pragma clang attribute pop
