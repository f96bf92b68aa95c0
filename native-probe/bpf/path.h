// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Resolves what the kernel holds open to a path: from the dentry up to the root of the mount namespace.
#pragma once

#include "record.h"

enum {
    // Components and mounts on the way up; deeper paths lose their beginning and say so.
    PATH_STEPS_MAX = 96,
    // The verifier goes through each step of a loop, but once through a function however often it is called: so many
    // steps are one, most walks one call.
    PATH_STEPS_AT_ONCE = 12,
    PATH_SIZE_MAX = 4096,
    // NAME_MAX and a NUL.
    NAME_SIZE_MAX = 256,
};

// What of a dentry is read at once, as the kernel lays it out: d_parent, then d_name (hash and length, name).
struct dentry_piece {
    struct dentry *parent;
    u64 hash_and_length;
    const unsigned char *name;
};

// A walk reads every dentry on the way, so one read instead of two is felt.
static __always_inline struct dentry_piece dentry_read(struct dentry *dentry) {
    struct dentry_piece piece = {};
    const u64 parent_at = bpf_core_field_offset(dentry->d_parent);
    if (bpf_core_field_offset(dentry->d_name.name) - parent_at == __builtin_offsetof(struct dentry_piece, name)) {
        bpf_core_read(&piece, sizeof(piece), &dentry->d_parent);
    } else {
        piece.parent = BPF_CORE_READ(dentry, d_parent);
        piece.hash_and_length = (u64)BPF_CORE_READ(dentry, d_name.len) << 32;
        piece.name = BPF_CORE_READ(dentry, d_name.name);
    }
    return piece;
}

// Goes on where the mount it has come to the root of is mounted; false at the root of all.
static __always_inline bool path_leave_mount(struct path_place *place) {
    struct mount *mount = place->mount;
    struct mount *above = BPF_CORE_READ(mount, mnt_parent);
    if (!above || above == mount) return false;
    place->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    place->mount = above;
    place->mount_root = BPF_CORE_READ(above, mnt.mnt_root);
    return true;
}

// One step of the walk; false when there is nothing above.
static __always_inline bool path_step(struct record *record, struct path_place *place) {
    if (place->dentry == place->mount_root) return path_leave_mount(place);
    u8 *room = record_room(record);
    if (!room) return true;
    struct dentry_piece piece = dentry_read(place->dentry);
    long length = bpf_probe_read_kernel_str(room, NAME_SIZE_MAX, piece.name);
    if (length > 1) record->size += length;
    // Its own parent, but no mount's root: a file without a place in the tree, such as a memfd.
    const bool is_alone = !piece.parent || piece.parent == place->dentry;
    place->dentry = piece.parent;
    return !is_alone;
}

static __always_inline struct path_place path_begin(struct dentry *dentry, struct vfsmount *vfsmount) {
    return (struct path_place){
        .dentry = dentry,
        .mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt),
        .mount_root = BPF_CORE_READ(vfsmount, mnt_root),
    };
}

// Not static: the verifier then looks at it once, not for every call there is, which took seconds. Pointers are numbers
// to it, since before 5.12 such functions took no others (e5069b9c23b3); what it found is left in the record.
__noinline int path_steps(u32 slot) {
    struct record *record = bpf_map_lookup_elem(&scratch, &slot);
    if (!record) return 0;
    struct path_place place = record->place;
    for (int step = 0; step < PATH_STEPS_AT_ONCE; step++) {
        if (record->size - record->walked.offset > PATH_SIZE_MAX - NAME_SIZE_MAX) return 0;
        if (path_step(record, &place)) continue;
        record->walked.truncated = 0;
        return 0;
    }
    record->place = place;
    return 1;
}

__noinline int path_walk(u32 slot, u64 dentry, u64 vfsmount) {
    struct record *record = bpf_map_lookup_elem(&scratch, &slot);
    struct path_place place = path_begin((struct dentry *)dentry, (struct vfsmount *)vfsmount);
    if (!record) return 0;
    const bool is_root = place.dentry == place.mount_root;
    u32 start = record->size;

    record->place = place;
    record->walked = (struct path_text){.offset = start, .truncated = 1};
    for (int step = 0; step < PATH_STEPS_MAX; step += PATH_STEPS_AT_ONCE)
        if (!path_steps(slot)) break;
    u8 *room = record_room(record);
    if (is_root && room && record->size == start) room[0] = 0, record->size += 1;
    record->walked.length = record->size - start;
    return 0;
}

static __always_inline void path_read(struct record *record, struct path_text *text, struct path *from) {
    struct path path = {};
    bpf_core_read(&path, sizeof(path), from);
    if (!path.dentry) return;
    path_walk(record->slot, (u64)path.dentry, (u64)path.mnt);
    *text = record->walked;
}
