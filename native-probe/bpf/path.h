// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Resolves what the kernel holds open to a path: from the dentry up to the root of the mount namespace.
#pragma once

#include "record.h"

enum {
    // Components and mounts on the way up; deeper paths lose their beginning and say so.
    PATH_STEPS_MAX = 96,
    PATH_SIZE_MAX = 4096,
    // NAME_MAX and a NUL.
    NAME_SIZE_MAX = 256,
};

static __always_inline struct mount *path_mount(struct vfsmount *mount) {
    return (void *)mount - bpf_core_field_offset(struct mount, mnt);
}

// One step of the walk: false when the root is reached. `mount` follows where a mount is left.
static __always_inline bool path_step(struct record *record, struct dentry **dentry, struct mount **mount) {
    struct dentry *at = *dentry;
    if (at == BPF_CORE_READ(*mount, mnt.mnt_root)) {
        struct mount *above = BPF_CORE_READ(*mount, mnt_parent);
        if (!above || above == *mount) return false;
        *dentry = BPF_CORE_READ(*mount, mnt_mountpoint);
        *mount = above;
        return true;
    }
    u8 *room = record_room(record);
    if (!room) return true;
    long length = bpf_probe_read_kernel_str(room, NAME_SIZE_MAX, BPF_CORE_READ(at, d_name.name));
    if (length > 1) record->size += length;
    *dentry = BPF_CORE_READ(at, d_parent);
    // Its own parent, but no mount's root: a file without a place in the tree, such as a memfd.
    return *dentry && *dentry != at;
}

static __noinline int path_walk(struct record *record, struct path_text *text, struct dentry *dentry,
                                struct vfsmount *vfsmount) {
    struct mount *mount = path_mount(vfsmount);
    bool is_root = dentry == BPF_CORE_READ(vfsmount, mnt_root);
    u32 start = record->size;

    text->truncated = 1;
    for (int step = 0; step < PATH_STEPS_MAX; step++) {
        if (record->size - start > PATH_SIZE_MAX - NAME_SIZE_MAX) break;
        if (!path_step(record, &dentry, &mount)) {
            text->truncated = 0;
            break;
        }
    }
    u8 *room = record_room(record);
    if (is_root && room && record->size == start) room[0] = 0, record->size += 1;
    text->offset = start;
    text->length = record->size - start;
    return 0;
}

static __always_inline void path_read(struct record *record, struct path_text *text, struct path *from) {
    struct path path = {};
    bpf_core_read(&path, sizeof(path), from);
    if (path.dentry) path_walk(record, text, path.dentry, path.mnt);
}
