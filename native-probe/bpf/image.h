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

enum {
    CAPABILITY_DAC_OVERRIDE = 1,
    MODE_WRITABLE_BY_OWNER = 0200,
    MODE_WRITABLE_BY_GROUP = 0020,
    MODE_WRITABLE_BY_OTHERS = 0002,
    // SB_RDONLY, S_IMMUTABLE (include/linux/fs.h), MNT_READONLY (include/linux/mount.h).
    SUPER_READ_ONLY = 1,
    INODE_IMMUTABLE = 8,
    MOUNT_READ_ONLY = 0x40,
    // Supplementary groups that are looked at; more are rare.
    GROUPS_MAX = 32,
};

// Nobody may write to it: it, its mount or its file system says so.
static __always_inline bool image_is_unwritable(struct file *file, struct inode *inode) {
    return BPF_CORE_READ(inode, i_flags) & INODE_IMMUTABLE || BPF_CORE_READ(inode, i_sb, s_flags) & SUPER_READ_ONLY ||
           BPF_CORE_READ(file, f_path.mnt, mnt_flags) & MOUNT_READ_ONLY;
}

// Whether the group is among the running task's supplementary ones.
static __always_inline bool task_in_group(u32 gid) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct group_info *groups = BPF_CORE_READ(task, cred, group_info);
    int count = BPF_CORE_READ(groups, ngroups);
    const char *gids = (const char *)&groups->gid;
    for (int i = 0; i < GROUPS_MAX && i < count; i++) {
        u32 one = -1;
        bpf_core_read(&one, sizeof(one), (const void *)(gids + i * sizeof(one)));
        if (one == gid) return true;
    }
    return false;
}
