// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each signal that a process sends, and each try; those to threads of its own are counted as filtered.
#include "syscall.h"
#include "target.h"

enum { CAPABILITY_KILL = 5 };

struct signal_event {
    struct event_header header;
    s32 signal;
    s32 requested_pid;
    s32 requested_tid;
    s32 pidfd;
    struct target_process target;
    u8 targets_sensor;
};

EVENT_RECORD(signal, EVENT_SIGNAL)

// The arguments, wherever the six calls have them.
static __always_inline void signal_arguments_fill(struct signal_event *event, u32 call,
                                                  const struct call_frame *frame) {
    s32 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame), third = SYSCALL_ARGUMENT_2(frame);
    event->signal = second;
    if (call == CALL_TKILL) {
        event->requested_tid = first;
    } else if (call == CALL_TGKILL || call == CALL_RT_TGSIGQUEUEINFO) {
        event->requested_pid = first;
        event->requested_tid = second;
        event->signal = third;
    } else if (call == CALL_PIDFD_SEND_SIGNAL) {
        event->pidfd = first;
    } else {
        event->requested_pid = first;
    }
}

// The one task it was for; NULL for a group.
static __always_inline struct task_struct *signal_task(u32 call, const struct call_frame *frame) {
    s32 first = SYSCALL_ARGUMENT_0(frame);
    if (call == CALL_PIDFD_SEND_SIGNAL) return pid_task(pidfd_pid(first));
    if (call == CALL_TGKILL || call == CALL_RT_TGSIGQUEUEINFO) first = SYSCALL_ARGUMENT_1(frame);
    return first > 0 ? pid_task(pid_find(first)) : NULL;
}

// Whether one of the sensor's own processes is in the group.
static __always_inline bool group_has_sensor(struct pid *group) {
    struct hlist_node *link = pid_first_link(group, PIDTYPE_PGID);
    for (int i = 0; i < GROUP_MEMBERS_MAX && link; i++) {
        if (task_is_sensor(task_of_link(link, PIDTYPE_PGID))) return true;
        link = BPF_CORE_READ(link, next);
    }
    return false;
}

// -1 is for all in the caller's pid namespace that it may signal: the sensor lives in the first one.
static __always_inline bool all_has_sensor(struct task_struct *task) {
    u64 effective = 0;
    const struct cred *cred = BPF_CORE_READ(task, cred);
    bpf_core_read(&effective, sizeof(effective), &cred->cap_effective);
    return effective >> CAPABILITY_KILL & 1 && BPF_CORE_READ(task, thread_pid, level) == 0;
}

static __always_inline bool signal_group_targets_sensor(s32 requested_pid) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (actor_is_own()) return false;
    if (requested_pid == -1) return all_has_sensor(task);
    if (requested_pid == 0) return group_has_sensor(BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]));
    return group_has_sensor(pid_find(-requested_pid));
}

SYSCALL_PROGRAM(signal, EVENT_SIGNAL, frame, result) {
    if (!event_seen(EVENT_SIGNAL)) return 0;
    u32 call = syscall_call(frame);
    struct task_struct *task = signal_task(call, frame);
    const bool is_for_thread = call == CALL_TKILL || call == CALL_TGKILL || call == CALL_RT_TGSIGQUEUEINFO;
    if (is_for_thread && task && BPF_CORE_READ(task, tgid) == bpf_get_current_pid_tgid() >> 32)
        return event_filtered(EVENT_SIGNAL);

    struct record *record;
    struct signal_event *event = signal_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    signal_arguments_fill(event, call, frame);
    if (task) target_fill(&event->target, task);
    if (call == CALL_KILL && event->requested_pid <= 0)
        event->targets_sensor = signal_group_targets_sensor(event->requested_pid);
    else
        event->targets_sensor = targets_sensor(task);
    return record_submit(record);
}
