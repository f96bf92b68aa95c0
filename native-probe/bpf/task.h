// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Who acted: the head of every record, and the system call a task is in.
#pragma once

#include "cgroup.h"
#include "read.h"
#include "record.h"

// USER_HZ is 100 on x86-64 and arm64.
#define TICK_NS 10000000ULL

// Its members are fields of the message Event; `type` is the member of its oneof that follows.
struct event_header {
    u32 type;
    u32 pid;
    u32 tid;
    u32 parent_pid;
    u64 time_ns;
    u64 start_time_ns;
    u64 parent_start_time_ns;
    u32 uid;
    u32 gid;
    char name[16];
    u32 call;
    s64 result;
    u64 cgroup_id;
    u8 by_io_uring;
    u8 abi;
};

// The sensor's own processes: thread group to the time its leader started, in the ticks of /proc/PID/stat: that is how
// precisely user space knows it.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, OWN_PROCESSES_MAX);
    __type(key, u32);
    __type(value, u64);
} own_processes SEC(".maps");

static __always_inline bool task_is_own_read(struct task_struct *task, bool is_known) {
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    u64 *start_ticks = bpf_map_lookup_elem(&own_processes, &pid);
    return start_ticks && *start_ticks == READ(is_known, task, group_leader, start_boottime) / TICK_NS;
}

// Whether the running process belongs to the sensor: by identity, not by a name anyone can take.
static __always_inline bool task_is_own(void) {
    if (CURRENT_TASK_IS_KNOWN) return task_is_own_read(current_task_known(), true);
    return task_is_own_read((struct task_struct *)bpf_get_current_task(), false);
}

// The same of any process, by its pid and when its leader started.
static __always_inline bool process_is_own(u32 pid, u64 start_time_ns) {
    u64 *start_ticks = bpf_map_lookup_elem(&own_processes, &pid);
    return start_ticks && *start_ticks == start_time_ns / TICK_NS;
}

// Counts a call as seen; false, and counted as filtered, where no one wants it or the sensor itself made it.
static __always_inline bool event_seen_of_others(u32 type) {
    if (!event_wanted(type)) return false;
    if (task_is_own()) return event_filtered(type);
    return event_affordable(type);
}

// A process's number in the innermost pid namespace it is in, and that namespace's inode.
static __always_inline u32 pid_innermost(struct pid *pid, u32 *namespace_inode) {
    struct upid innermost = {};
    u32 level = BPF_CORE_READ(pid, level);
    const char *numbers = (const char *)&pid->numbers;
    bpf_core_read(&innermost, sizeof(innermost), (const void *)(numbers + level * sizeof(innermost)));
    if (namespace_inode) *namespace_inode = BPF_CORE_READ(innermost.ns, ns.inum);
    return innermost.nr;
}

// The number that a pid has in the namespace of this depth; 0 where it is not in it.
static __always_inline u32 pid_at_level(struct pid *pid, u32 level) {
    struct upid there = {};
    const char *numbers = (const char *)&pid->numbers;
    if (BPF_CORE_READ(pid, level) < level) return 0;
    bpf_core_read(&there, sizeof(there), (const void *)(numbers + level * sizeof(there)));
    return there.nr;
}

static __always_inline void header_read(struct record *record, struct event_header *header, struct task_struct *task,
                                        bool is_known) {
    struct task_struct *leader = READ(is_known, task, group_leader);
    struct task_struct *parent = READ(is_known, task, real_parent);
    const struct cred *cred = READ(is_known, task, cred);

    header->type = record->type;
    header->time_ns = bpf_ktime_get_boot_ns();
    header->pid = READ(is_known, task, tgid);
    header->tid = READ(is_known, task, pid);
    header->start_time_ns = READ(is_known, leader, start_boottime);
    header->parent_pid = READ(is_known, parent, tgid);
    header->parent_start_time_ns = READ(is_known, parent, group_leader, start_boottime);
    header->uid = READ(is_known, cred, euid.val);
    header->gid = READ(is_known, cred, egid.val);
    header->cgroup_id = READ(is_known, task, cgroups, dfl_cgrp, kn, id);
    bpf_core_read(&header->name, sizeof(header->name), &leader->comm);
}

// For a task that is a program's argument.
static __always_inline void header_fill(struct record *record, struct event_header *header, struct task_struct *task) {
    header_read(record, header, task, true);
}

static __always_inline void header_fill_current(struct record *record, struct event_header *header) {
    if (CURRENT_TASK_IS_KNOWN) return header_read(record, header, current_task_known(), true);
    header_read(record, header, (struct task_struct *)bpf_get_current_task(), false);
}
