// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each move of a process to another process group, each new session, and each try.
#include "syscall.h"
#include "target.h"

struct set_group_event {
    struct event_header header;
    s32 requested_pid;
    s32 requested_group;
    struct target_process target;
    u32 process_group_id, session_id;
    u32 namespaced_process_group_id, namespaced_session_id;
};

EVENT_RECORD(set_group, EVENT_SET_GROUP)

static __always_inline void set_group_leaders_fill(struct set_group_event *event, struct task_struct *task) {
    struct signal_struct *signal = BPF_CORE_READ(task, signal);
    struct pid *group = BPF_CORE_READ(signal, pids[PIDTYPE_PGID]), *session = BPF_CORE_READ(signal, pids[PIDTYPE_SID]);
    u32 level = BPF_CORE_READ(task, thread_pid, level);
    target_fill(&event->target, task);
    event->process_group_id = BPF_CORE_READ(group, numbers[0].nr);
    event->session_id = BPF_CORE_READ(session, numbers[0].nr);
    event->namespaced_process_group_id = pid_at_level(group, level);
    event->namespaced_session_id = pid_at_level(session, level);
}

SYSCALL_PROGRAM(set_group, EVENT_SET_GROUP, frame, result) {
    if (!event_seen(EVENT_SET_GROUP)) return 0;
    struct record *record;
    struct set_group_event *event = set_group_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    if (event->header.call == CALL_SETPGID) {
        event->requested_pid = SYSCALL_ARGUMENT_0(frame);
        event->requested_group = SYSCALL_ARGUMENT_1(frame);
    }
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (event->requested_pid) task = pid_task(pid_find(event->requested_pid));
    if (task) set_group_leaders_fill(event, task);
    return record_submit(record);
}
