// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each new process; new threads are counted as filtered.
#include "known_thread.h"
#include "syscall.h"

enum { CLONE_VM = 0x100, CLONE_VFORK = 0x4000 };

struct fork_event {
    struct event_header header;
    u32 child_pid;
    u64 child_start_time_ns;
    u32 child_namespaced_pid;
    u64 flags;
    u32 child_parent_pid;
    u64 child_parent_start_time_ns;
};

EVENT_RECORD(fork, EVENT_FORK)

// clone's flags are its first argument; clone3's are behind a pointer, which the child's maker may have changed since.
static __always_inline u64 fork_flags(u32 call, u64 first_argument) {
    u64 flags = 0;
    if (call == CALL_CLONE) return first_argument;
    if (call == CALL_VFORK) return CLONE_VFORK | CLONE_VM;
    if (call == CALL_CLONE3) bpf_probe_read_user(&flags, sizeof(flags), (const void *)first_argument);
    return flags;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *task, struct task_struct *child) {
    known_thread_keep(child, true, child->start_boottime);
    if (!event_seen(EVENT_FORK)) return 0;
    if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) return event_filtered(EVENT_FORK);

    struct record *record;
    struct fork_event *event = fork_begin(&record);
    if (!event) return 0;
    struct task_struct *parent = BPF_CORE_READ(child, real_parent);
    struct current_call call = current_call_read();
    header_fill(record, &event->header, task);
    event->header.call = call.call;
    event->header.result = BPF_CORE_READ(child, pid);
    event->flags = fork_flags(call.call, call.first_argument);
    event->child_pid = BPF_CORE_READ(child, tgid);
    event->child_start_time_ns = BPF_CORE_READ(child, start_boottime);
    event->child_namespaced_pid = pid_innermost(BPF_CORE_READ(child, thread_pid), NULL);
    event->child_parent_pid = BPF_CORE_READ(parent, tgid);
    event->child_parent_start_time_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
    return record_submit(record);
}
