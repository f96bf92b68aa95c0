// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Memory: the mappings of an address space, and the tree they are found in.
#pragma once

#include "task.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rb_node {
    struct rb_node *rb_left, *rb_right;
};

struct rb_root {
    struct rb_node *rb_node;
};

struct vm_area_struct {
    unsigned long vm_start, vm_end;
    struct file *vm_file;
    void *anon_vma;
};

// 6.1 put mappings in a maple tree (d4af56c5c7c6) instead of a red-black one (524e00b36e8c).
struct vm_area_struct___before_6_1 {
    struct rb_node vm_rb;
};

struct mm_struct___before_6_1 {
    struct rb_root mm_rb;
};

struct maple_tree {
    void *ma_root;
};

struct mm_struct___since_6_1 {
    struct maple_tree mm_mt;
};

// A leaf's form, and that of the nodes above it, which also keep the gaps (include/linux/maple_tree.h).
struct maple_range_64 {
    unsigned long pivot[15];
    void *slot[16];
};

struct maple_arange_64 {
    unsigned long pivot[9];
    void *slot[10];
};

#pragma clang attribute pop
