// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What is read of the kernel's own structures, and no more; offsets are found by CO-RE when the programs are loaded.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
// Names that libbpf's own headers use.
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s32 __s32;
typedef s64 __s64;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;
typedef _Bool bool;

#define NULL ((void *)0)

#define true 1
#define false 0

// Of <linux/bpf.h>: numbers of the kernel's interface, which do not change.
enum {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PROG_ARRAY = 3,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_F_MMAPABLE = 1U << 10, BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2, BPF_RB_PROD_POS = 3 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long bx, di, si, dx, r10, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
    u64 regs[31];
    u64 orig_x0;
    s32 syscallno;
};
#endif

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

struct thread_info {
    unsigned long flags;
    u32 status;
};

struct ns_common {
    unsigned int inum;
};

struct user_namespace {
    struct ns_common ns;
};

struct uts_namespace {
    struct ns_common ns;
};

struct ipc_namespace {
    struct ns_common ns;
};

struct mnt_namespace {
    struct ns_common ns;
};

struct pid_namespace {
    struct ns_common ns;
};

struct net {
    struct ns_common ns;
};

struct cgroup_namespace {
    struct ns_common ns;
};

struct nsproxy {
    struct uts_namespace *uts_ns;
    struct ipc_namespace *ipc_ns;
    struct mnt_namespace *mnt_ns;
    struct net *net_ns;
    struct cgroup_namespace *cgroup_ns;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };

struct tty_driver {
    int major;
    int minor_start;
};

struct tty_struct {
    int index;
    struct tty_driver *driver;
};

struct signal_struct {
    atomic_t live;
    int group_exit_code;
    unsigned int flags;
    struct pid *pids[4];
    struct tty_struct *tty;
};

struct cred {
    kuid_t uid, suid, euid;
    kgid_t gid, sgid, egid;
    kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
    struct user_namespace *user_ns;
};

struct kernfs_node {
    struct kernfs_node *__parent;
    const char *name;
    u64 id;
};

// 6.15 renamed parent to __parent (633488947ef6).
struct kernfs_node___before_6_15 {
    struct kernfs_node *parent;
};

struct cgroup {
    struct kernfs_node *kn;
};

struct cgroup_subsys_state {
    struct cgroup *cgroup;
};

struct css_set {
    struct cgroup_subsys_state *subsys[1];
    struct cgroup *dfl_cgrp;
};

struct qstr {
    const unsigned char *name;
};

struct timespec64 {
    s64 tv_sec;
    long tv_nsec;
};

struct super_block {
    u32 s_dev;
    unsigned long s_magic;
};

struct inode {
    u16 i_mode;
    kuid_t i_uid;
    struct super_block *i_sb;
    unsigned long i_ino;
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
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct file {
    unsigned int f_mode;
    unsigned int f_flags;
    struct inode *f_inode;
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

struct mm_struct {
    unsigned long arg_start, arg_end;
    struct file *exe_file;
};

struct task_struct {
    struct thread_info thread_info;
    int exit_code;
    int pid, tgid;
    struct task_struct *real_parent, *group_leader;
    struct pid *thread_pid;
    u64 start_boottime;
    const struct cred *cred;
    char comm[16];
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct mm_struct *mm;
    kuid_t loginuid;
    unsigned int sessionid;
    struct css_set *cgroups;
};

struct linux_binprm {
    struct file *file;
    const char *filename;
    const char *fdpath;
};

struct in6_addr {
    u8 in6_u[16];
};

struct sock_common {
    u32 skc_daddr, skc_rcv_saddr;
    u16 skc_dport, skc_num;
    unsigned short skc_family;
    struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
    struct sock_common __sk_common;
    u16 sk_protocol;
};

struct socket {
    short type;
    struct sock *sk;
};

struct sockaddr_un {
    u16 sun_family;
};

struct unix_address {
    int len;
    struct sockaddr_un name[1];
};

struct unix_sock {
    struct sock sk;
    struct unix_address *addr;
    struct sock *peer;
};

struct clone_args {
    u64 flags;
};

struct open_how {
    u64 flags;
    u64 mode;
};

#pragma clang attribute pop
