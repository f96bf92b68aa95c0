// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Files: inodes, dentries, mounts, and what a task holds open.
#pragma once

#include "ids.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
    u32 len;
    const unsigned char *name;
};

struct timespec64 {
    s64 tv_sec;
    long tv_nsec;
};

struct file_system_type {
    const char *name;
};

struct super_block {
    u32 s_dev;
    unsigned long s_flags;
    unsigned long s_magic;
    struct file_system_type *s_type;
};

struct inode {
    u16 i_mode;
    kuid_t i_uid;
    kgid_t i_gid;
    struct super_block *i_sb;
    unsigned int i_flags;
    void *i_private;
    unsigned long i_ino;
    s64 i_size;
    unsigned int i_nlink;
    u32 i_rdev;
    s64 i_mtime_sec, i_ctime_sec;
    u32 i_mtime_nsec, i_ctime_nsec;
};

// 6.6 renamed i_ctime to __i_ctime (13bc24457850), 6.7 i_mtime to __i_mtime (12cd44023651),
// 6.11 took both apart (3aa63a569c64).
struct inode___before_6_6 {
    struct timespec64 i_ctime;
};

struct inode___before_6_7 {
    struct timespec64 i_mtime;
};

struct inode___before_6_11 {
    struct timespec64 __i_mtime, __i_ctime;
};

struct hlist_bl_node {
    struct hlist_bl_node **pprev;
};

struct dentry {
    struct hlist_bl_node d_hash;
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
};

struct vfsmount {
    struct dentry *mnt_root;
    int mnt_flags;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    const char *mnt_devname;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct file {
    unsigned int f_mode;
    unsigned int f_flags;
    struct inode *f_inode;
    s64 f_pos;
    void *private_data;
    struct path f_path;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct fs_struct {
    struct path root;
    struct path pwd;
};

#pragma clang attribute pop

// Structs of the system calls' interface, which do not change.

struct open_how {
    u64 flags, mode, resolve;
};

struct xattr_args {
    u64 value;
    u32 size;
    u32 flags;
};

struct mount_attr {
    u64 attr_set, attr_clr, propagation, userns_fd;
};
