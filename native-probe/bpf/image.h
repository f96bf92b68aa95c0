// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Where an executable comes from, and when its inode was changed, whatever the kernel calls those times.
#pragma once

#include "record.h"

enum { TMPFS_MAGIC = 0x01021994, HUGETLBFS_MAGIC = 0x958458f6, OVERLAYFS_MAGIC = 0x794c7630 };

// 6.13 marks in the nanoseconds that someone has asked for them (4e40eff0b573).
enum { I_CTIME_QUERIED = 1U << 31 };

static const u64 NS_PER_S = 1000000000ULL;

static __always_inline u64 time_ns(struct timespec64 time) {
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static __always_inline u64 inode_changed_time_ns(struct inode *inode) {
    struct inode___before_6_6 *before_6_6 = (void *)inode;
    struct inode___before_6_11 *before_6_11 = (void *)inode;
    if (bpf_core_field_exists(before_6_6->i_ctime)) return time_ns(BPF_CORE_READ(before_6_6, i_ctime));
    if (bpf_core_field_exists(before_6_11->__i_ctime)) return time_ns(BPF_CORE_READ(before_6_11, __i_ctime));
    return BPF_CORE_READ(inode, i_ctime_sec) * NS_PER_S + (BPF_CORE_READ(inode, i_ctime_nsec) & ~I_CTIME_QUERIED);
}

static __always_inline u64 inode_modified_time_ns(struct inode *inode) {
    struct inode___before_6_7 *before_6_7 = (void *)inode;
    struct inode___before_6_11 *before_6_11 = (void *)inode;
    if (bpf_core_field_exists(before_6_7->i_mtime)) return time_ns(BPF_CORE_READ(before_6_7, i_mtime));
    if (bpf_core_field_exists(before_6_11->__i_mtime)) return time_ns(BPF_CORE_READ(before_6_11, __i_mtime));
    return BPF_CORE_READ(inode, i_mtime_sec) * NS_PER_S + BPF_CORE_READ(inode, i_mtime_nsec);
}

// memfd_create's files have no place in the tree and a name that says so (mm/memfd.c).
static __always_inline bool image_is_memfd(struct dentry *dentry, struct inode *inode) {
    char name[6] = {};
    // The magic of hugetlbfs fills 32 bits.
    u32 magic = BPF_CORE_READ(inode, i_sb, s_magic);
    if (magic != TMPFS_MAGIC && magic != HUGETLBFS_MAGIC) return false;
    if (BPF_CORE_READ(dentry, d_parent) != dentry) return false;
    bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
    return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

// An overlay's inode is followed by its dentry on the upper layer (struct ovl_inode, which may be in a module).
static __always_inline bool image_is_on_upper_layer(struct inode *inode) {
    void *upper = NULL;
    if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS_MAGIC) return false;
    bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
    return upper != NULL;
}

// Its last name is gone, or the name it was opened by is.
static __always_inline bool image_is_unlinked(struct dentry *dentry, struct inode *inode) {
    bool unhashed = !BPF_CORE_READ(dentry, d_hash.pprev) && BPF_CORE_READ(dentry, d_parent) != dentry;
    return unhashed || BPF_CORE_READ(inode, i_nlink) == 0;
}
