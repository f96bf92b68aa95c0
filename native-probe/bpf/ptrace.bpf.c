// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each call of ptrace, with whom it is about.
#include "syscall.h"
#include "target.h"

enum { PTRACE_TRACEME = 0 };

struct ptrace_event {
    struct event_header header;
    u64 request;
    s32 requested_pid;
    u64 address;
    u64 data;
    struct target_process target;
    u8 targets_sensor;
};

EVENT_RECORD(ptrace, EVENT_PTRACE)

SYSCALL_PROGRAM(ptrace, EVENT_PTRACE, frame, result) {
    if (!event_seen(EVENT_PTRACE)) return 0;
    struct record *record;
    struct ptrace_event *event = ptrace_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->request = SYSCALL_ARGUMENT_0(frame);
    event->requested_pid = SYSCALL_ARGUMENT_1(frame);
    event->address = SYSCALL_ARGUMENT_2(frame);
    event->data = SYSCALL_ARGUMENT_3(frame);
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (event->request != PTRACE_TRACEME) task = pid_task(pid_find(event->requested_pid));
    if (task) target_fill(&event->target, task);
    event->targets_sensor = targets_sensor(task);
    return record_submit(record);
}
