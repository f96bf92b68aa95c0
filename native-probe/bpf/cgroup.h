// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Which cgroup a task is in: the path to its node.
#pragma once

#include "record.h"

enum {
    CGROUP_DEPTH_MAX = 16,
    CGROUP_NAME_SIZE_MAX = 128,
    // Controllers a kernel has; the v1 hierarchies are found by theirs.
    CGROUP_CONTROLLERS_MAX = 16,
};

static __always_inline struct kernfs_node *cgroup_node_parent(struct kernfs_node *node) {
    struct kernfs_node___before_6_15 *before_6_15 = (void *)node;
    if (bpf_core_field_exists(before_6_15->parent)) return BPF_CORE_READ(before_6_15, parent);
    return BPF_CORE_READ(node, __parent);
}

// The node in the v2 hierarchy, or, where that is its root, in the first v1 hierarchy in which it is not the root's.
static __always_inline struct kernfs_node *cgroup_node(struct task_struct *task) {
    struct css_set *set = BPF_CORE_READ(task, cgroups);
    struct kernfs_node *node = BPF_CORE_READ(set, dfl_cgrp, kn);
    const char *controllers = (const char *)&set->subsys;
    u32 size = bpf_core_field_size(set->subsys);

    if (cgroup_node_parent(node)) return node;
    for (u32 i = 0; i < CGROUP_CONTROLLERS_MAX && i * sizeof(void *) < size; i++) {
        struct cgroup_subsys_state *state = NULL;
        bpf_core_read(&state, sizeof(state), (const void *)(controllers + i * sizeof(void *)));
        struct kernfs_node *other = BPF_CORE_READ(state, cgroup, kn);
        if (other && cgroup_node_parent(other)) return other;
    }
    return node;
}

static __noinline int cgroup_path(struct record *record, struct path_text *text, struct task_struct *task) {
    struct kernfs_node *node = cgroup_node(task);
    u32 start = record->size;

    text->truncated = 1;
    for (int depth = 0; depth < CGROUP_DEPTH_MAX; depth++) {
        struct kernfs_node *parent = cgroup_node_parent(node);
        u8 *room = record_room(record);
        if (!room) break;
        if (!parent) {
            text->truncated = 0;
            if (record->size == start) room[0] = 0, record->size += 1;
            break;
        }
        long length = bpf_probe_read_kernel_str(room, CGROUP_NAME_SIZE_MAX, BPF_CORE_READ(node, name));
        if (length > 1) record->size += length;
        node = parent;
    }
    text->offset = start;
    text->length = record->size - start;
    return 0;
}
