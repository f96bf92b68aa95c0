// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// The process that an act is aimed at: found by its number in the caller's pid namespace, or behind a pidfd.
#pragma once

#include "descriptor.h"

enum {
    // The radix tree takes 6 bits of a number a level, 4 on kernels built small: 22 bits are the most a pid has.
    XARRAY_LEVELS_MAX = 6,
    XARRAY_KIND_MASK = 3,
    XARRAY_NODE = 2,
    // Members of a process group that are looked at.
    GROUP_MEMBERS_MAX = 64,
    PIDFS_MAGIC = 0x50494446,
};

// Members are fields of the message Target.
struct target_process {
    u32 pid;
    u64 start_time_ns;
    char name[16];
};

// As xa_load (lib/xarray.c) finds it.
static __always_inline struct pid *xarray_find(void *entry, u32 index) {
    const struct xa_node *layout = NULL;
    const u32 slots = bpf_core_field_size(layout->slots) / sizeof(void *);
    const u64 slots_at = bpf_core_field_offset(layout->slots);

    for (int level = 0; level < XARRAY_LEVELS_MAX; level++) {
        if (((u64)entry & XARRAY_KIND_MASK) != XARRAY_NODE) break;
        struct xa_node *node = (void *)((u64)entry - XARRAY_NODE);
        u32 slot = index >> (BPF_CORE_READ(node, shift) & 31);
        // The root's: nothing has a number this high.
        if (level == 0 && slot >= slots) return NULL;
        slot &= slots - 1;
        if (bpf_probe_read_kernel(&entry, sizeof(entry), (void *)node + slots_at + slot * sizeof(void *))) return NULL;
    }
    return (u64)entry & XARRAY_KIND_MASK ? NULL : entry;
}

// The pid that the running task calls `number`; NULL where there is none.
static __noinline struct pid *pid_find(u32 number) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct pid *own = BPF_CORE_READ(task, thread_pid);
    struct upid innermost = {};
    u32 level = BPF_CORE_READ(own, level);
    const char *numbers = (const char *)&own->numbers;
    bpf_core_read(&innermost, sizeof(innermost), (const void *)(numbers + level * sizeof(innermost)));
    return xarray_find(BPF_CORE_READ(innermost.ns, idr.idr_rt.xa_head), number);
}

static __always_inline struct task_struct *task_of_link(struct hlist_node *link, enum pid_type type) {
    const struct task_struct *layout = NULL;
    if (!link) return NULL;
    return (void *)link - bpf_core_field_offset(layout->pid_links) - type * sizeof(void *) * 2;
}

static __always_inline struct hlist_node *pid_first_link(struct pid *pid, enum pid_type type) {
    struct hlist_node *first = NULL;
    const char *heads = (const char *)&pid->tasks;
    if (pid) bpf_core_read(&first, sizeof(first), (const void *)(heads + type * sizeof(void *)));
    return first;
}

// The thread that has it as its number.
static __always_inline struct task_struct *pid_task(struct pid *pid) {
    return task_of_link(pid_first_link(pid, PIDTYPE_PID), PIDTYPE_PID);
}

// What a pidfd of the running task refers to. 6.9 gave pidfds a file system of their own (cb12fd8e0dab).
static __always_inline struct pid *pidfd_pid(s32 fd) {
    struct file *file = descriptor_file(fd);
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    char name[8] = {};
    if (!file) return NULL;
    if (BPF_CORE_READ(inode, i_sb, s_magic) == PIDFS_MAGIC) return BPF_CORE_READ(inode, i_private);
    bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
    const bool is_pidfd = name[0] == '[' && name[1] == 'p' && name[2] == 'i' && name[3] == 'd' && name[4] == 'f';
    return is_pidfd ? BPF_CORE_READ(file, private_data) : NULL;
}

static __always_inline void target_fill(struct target_process *target, struct task_struct *task) {
    struct task_struct *leader = BPF_CORE_READ(task, group_leader);
    if (!task) return;
    target->pid = BPF_CORE_READ(task, tgid);
    target->start_time_ns = BPF_CORE_READ(leader, start_boottime);
    bpf_core_read(&target->name, sizeof(target->name), &leader->comm);
}

static __always_inline bool task_is_sensor(struct task_struct *task) {
    return process_is_own(BPF_CORE_READ(task, tgid), BPF_CORE_READ(task, group_leader, start_boottime));
}

// Whether the running process acts for the sensor: it is one of its processes, or one of them has just started it and
// has not had the time to say so.
static __always_inline bool actor_is_own(void) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    return task_is_sensor(task) || task_is_sensor(BPF_CORE_READ(task, real_parent));
}

static __always_inline bool targets_sensor(struct task_struct *task) {
    return task && task_is_sensor(task) && !actor_is_own();
}
