// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each time a process reads, writes or advises on another's memory, and each try.
#include "syscall.h"
#include "target.h"

struct iovec {
    u64 address;
    u64 size;
};

struct process_memory_event {
    struct event_header header;
    s32 requested_pid;
    s32 pidfd;
    s32 advice;
    u64 address;
    u64 size_bytes;
    u64 pieces;
    struct target_process target;
    u8 targets_sensor;
};

EVENT_RECORD(process_memory, EVENT_PROCESS_MEMORY)

SYSCALL_PROGRAM(process_memory, EVENT_PROCESS_MEMORY, frame, result) {
    if (!event_seen(EVENT_PROCESS_MEMORY)) return 0;
    struct record *record;
    struct process_memory_event *event = process_memory_begin(&record);
    if (!event) return 0;
    struct iovec piece = {};
    struct pid *pid;
    const void *pieces;
    header_fill_call(record, &event->header, frame, result);
    if (event->header.call == CALL_PROCESS_MADVISE) {
        event->pidfd = SYSCALL_ARGUMENT_0(frame);
        event->advice = SYSCALL_ARGUMENT_3(frame);
        pieces = (const void *)SYSCALL_ARGUMENT_1(frame);
        event->pieces = SYSCALL_ARGUMENT_2(frame);
        pid = pidfd_pid(event->pidfd);
    } else {
        event->requested_pid = SYSCALL_ARGUMENT_0(frame);
        pieces = (const void *)SYSCALL_ARGUMENT_3(frame);
        event->pieces = SYSCALL_ARGUMENT_4(frame);
        pid = pid_find(event->requested_pid);
    }
    bpf_probe_read_user(&piece, sizeof(piece), pieces);
    event->address = piece.address;
    event->size_bytes = piece.size;
    struct task_struct *task = pid_task(pid);
    if (task) target_fill(&event->target, task);
    event->targets_sensor = targets_sensor(task);
    return record_submit(record);
}
