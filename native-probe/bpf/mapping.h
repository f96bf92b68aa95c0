// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Memory mappings: what is asked of them, and which of them an address lies in.
#pragma once

#include "kernel.h"

enum { PROT_WRITE = 2, PROT_EXEC = 4, MAP_ANONYMOUS = 0x20, MAP_ERRORS_FROM = -4095, I386_PAGE_SHIFT = 12 };

enum {
    // A red-black tree of the 65,530 mappings that vm.max_map_count allows is at most this deep.
    MAPPING_TREE_DEPTH_MAX = 34,
    // lib/maple_tree.c says what it does for 31 levels; with ten slots a node a few hold all mappings there can be.
    MAPPING_MAPLE_DEPTH_MAX = 8,
};

// What an entry of a maple tree says of itself in its low bits.
enum {
    MAPLE_KIND_MASK = 3,
    MAPLE_ROOT_NODE = 2,
    MAPLE_RESERVED_MAX = 4096,
    MAPLE_NODE_MASK = 0xff,
    MAPLE_TYPE_SHIFT = 3,
    MAPLE_TYPE_MASK = 0xf,
    MAPLE_LEAF_64 = 1,
    MAPLE_RANGE_64 = 2,
    MAPLE_ARANGE_64 = 3,
    MAPLE_PIVOTS_MAX = 15,
};

static __always_inline struct vm_area_struct *mapping_in_tree(struct mm_struct *mm, u64 address) {
    const struct vm_area_struct___before_6_1 *layout = NULL;
    const u64 link_at = bpf_core_field_offset(layout->vm_rb);
    struct mm_struct___before_6_1 *before_6_1 = (void *)mm;
    struct rb_node *node = BPF_CORE_READ(before_6_1, mm_rb.rb_node);

    for (int depth = 0; depth < MAPPING_TREE_DEPTH_MAX && node; depth++) {
        struct vm_area_struct *mapping = (void *)node - link_at;
        if (address < BPF_CORE_READ(mapping, vm_start))
            node = BPF_CORE_READ(node, rb_left);
        else if (address >= BPF_CORE_READ(mapping, vm_end))
            node = BPF_CORE_READ(node, rb_right);
        else
            return mapping;
    }
    return NULL;
}

// The slot of a node whose range an address is in: a pivot is the last address of its slot's range, and 0 where the
// slot is the last one.
static __always_inline u32 maple_slot(const void *pivots, u32 count, u64 address) {
    u32 slot = 0;
    for (; slot < MAPLE_PIVOTS_MAX && slot < count; slot++) {
        u64 pivot = 0;
        bpf_probe_read_kernel(&pivot, sizeof(pivot), pivots + slot * sizeof(pivot));
        if (pivot >= address || (pivot == 0 && slot > 0)) break;
    }
    return slot;
}

// As mtree_load (lib/maple_tree.c) finds it.
static __always_inline struct vm_area_struct *mapping_in_maple_tree(struct mm_struct *mm, u64 address) {
    const struct maple_range_64 *range = NULL;
    const struct maple_arange_64 *arange = NULL;
    struct mm_struct___since_6_1 *since_6_1 = (void *)mm;
    u64 entry = (u64)BPF_CORE_READ(since_6_1, mm_mt.ma_root);

    // Only the root says that it is a node, and no single entry.
    if ((entry & MAPLE_KIND_MASK) != MAPLE_ROOT_NODE) return NULL;
    for (int depth = 0; depth < MAPPING_MAPLE_DEPTH_MAX; depth++) {
        if (entry < MAPLE_RESERVED_MAX) return NULL;
        const u32 type = entry >> MAPLE_TYPE_SHIFT & MAPLE_TYPE_MASK;
        const bool is_arange = type == MAPLE_ARANGE_64;
        if (!is_arange && type != MAPLE_LEAF_64 && type != MAPLE_RANGE_64) return NULL;

        const void *node = (const void *)(entry & ~(u64)MAPLE_NODE_MASK);
        const void *pivots =
            node + (is_arange ? bpf_core_field_offset(arange->pivot) : bpf_core_field_offset(range->pivot));
        const void *slots =
            node + (is_arange ? bpf_core_field_offset(arange->slot) : bpf_core_field_offset(range->slot));
        const u32 count = (is_arange ? bpf_core_field_size(arange->pivot) : bpf_core_field_size(range->pivot)) /
                          sizeof(unsigned long);
        const u32 slot = maple_slot(pivots, count, address);
        if (bpf_probe_read_kernel(&entry, sizeof(entry), slots + slot * sizeof(entry))) return NULL;
        if (type == MAPLE_LEAF_64) return entry & MAPLE_KIND_MASK ? NULL : (void *)entry;
    }
    return NULL;
}

// The mapping of the running task that an address lies in; 0 where there is none. Another thread may change the tree
// meanwhile: what is found is asked whether it is the one. Not static, and a number, as path_walk.
__noinline u64 mapping_find(u64 address) {
    struct mm_struct *mm = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), mm);
    struct mm_struct___since_6_1 *since_6_1 = (void *)mm;
    struct vm_area_struct *mapping =
        bpf_core_field_exists(since_6_1->mm_mt) ? mapping_in_maple_tree(mm, address) : mapping_in_tree(mm, address);
    if (!mapping || address < BPF_CORE_READ(mapping, vm_start) || address >= BPF_CORE_READ(mapping, vm_end)) return 0;
    return (u64)mapping;
}
