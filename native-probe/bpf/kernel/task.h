// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Tasks: who runs, with which rights, in which namespaces and cgroup.
#pragma once

#include "file.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long bx, bp, cx, di, si, dx, r10, r8, r9, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
    u64 regs[31];
    u64 orig_x0;
    s32 syscallno;
};
#endif

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

// Pids of a namespace are found by their number in a radix tree (include/linux/idr.h, xarray.h).
struct xarray {
    void *xa_head;
};

struct xa_node {
    unsigned char shift;
    void *slots[64];
};

struct idr {
    struct xarray idr_rt;
};

struct pid_namespace {
    struct idr idr;
    unsigned int level;
    struct ns_common ns;
};

struct net {
    struct ns_common ns;
};

struct cgroup_namespace {
    struct ns_common ns;
};

struct time_namespace {
    struct ns_common ns;
};

struct nsproxy {
    struct uts_namespace *uts_ns;
    struct ipc_namespace *ipc_ns;
    struct mnt_namespace *mnt_ns;
    struct pid_namespace *pid_ns_for_children;
    struct net *net_ns;
    struct time_namespace *time_ns;
    struct cgroup_namespace *cgroup_ns;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct hlist_node {
    struct hlist_node *next;
};

struct hlist_head {
    struct hlist_node *first;
};

struct pid {
    unsigned int level;
    // The tasks that have it as their own number, as their group's, as their session's.
    struct hlist_head tasks[4];
    struct upid numbers[1];
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID };

struct tty_driver {
    int major;
    int minor_start;
};

struct tty_struct {
    char name[64];
    int index;
    struct tty_driver *driver;
};

struct signal_struct {
    atomic_t live;
    int nr_threads;
    int group_exit_code;
    unsigned int flags;
    struct pid *pids[4];
    struct tty_struct *tty;
};

struct group_info {
    int ngroups;
    kgid_t gid[1];
};

struct cred {
    kuid_t uid, suid, euid, fsuid;
    kgid_t gid, sgid, egid, fsgid;
    unsigned int securebits;
    kernel_cap_t cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
    struct user_namespace *user_ns;
    struct group_info *group_info;
};

struct seccomp {
    int mode;
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

struct mm_struct {
    unsigned long arg_start, arg_end, env_start, env_end;
    struct file *exe_file;
};

struct task_struct {
    struct thread_info thread_info;
    int exit_code;
    int pid, tgid;
    struct task_struct *real_parent, *group_leader;
    struct pid *thread_pid;
    struct hlist_node pid_links[4];
    unsigned long atomic_flags;
    struct seccomp seccomp;
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
    const char *interp;
    const char *fdpath;
};

struct clone_args {
    u64 flags;
};

#pragma clang attribute pop
