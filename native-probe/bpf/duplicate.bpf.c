// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each copy of a descriptor, and each try, with what it refers to.
#include "syscall.h"
#include "target.h"

enum { F_DUPFD = 0, F_DUPFD_CLOEXEC = 1030 };

struct duplicate_event {
    struct event_header header;
    s32 fd;
    s32 old_fd;
    s32 new_fd;
    u32 flags;
    u32 command;
    struct descriptor descriptor;
    s32 pidfd;
    struct target_process target;
    u8 targets_sensor;
};

EVENT_RECORD(duplicate, EVENT_DUPLICATE)

// The arguments, wherever the five calls have them.
static __always_inline void duplicate_arguments_fill(struct duplicate_event *event, u32 call,
                                                     const struct call_frame *frame) {
    u64 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame), third = SYSCALL_ARGUMENT_2(frame);
    event->old_fd = first;
    if (call == CALL_DUP2) event->new_fd = second;
    if (call == CALL_DUP3) {
        event->new_fd = second;
        event->flags = third;
    }
    if (call == CALL_FCNTL) {
        event->command = second;
        event->new_fd = third;
    }
    if (call == CALL_PIDFD_GETFD) {
        event->pidfd = first;
        event->old_fd = second;
        event->flags = third;
    }
}

SYSCALL_PROGRAM(duplicate, EVENT_DUPLICATE, frame, result) {
    u32 call = syscall_call(frame);
    u32 command = SYSCALL_ARGUMENT_1(frame);
    // fcntl does much, and this rarely.
    if (call == CALL_FCNTL && command != F_DUPFD && command != F_DUPFD_CLOEXEC) return 0;
    if (!event_seen_of_others(EVENT_DUPLICATE)) return 0;

    struct record *record;
    struct duplicate_event *event = duplicate_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    duplicate_arguments_fill(event, call, frame);
    event->fd = result >= 0 ? result : -1;
    struct file *file = NULL;
    if (result >= 0)
        file = descriptor_file(result);
    else if (call != CALL_PIDFD_GETFD)
        file = descriptor_file(event->old_fd);
    if (file) descriptor_read_with_path(record, &event->descriptor, file);
    if (call == CALL_PIDFD_GETFD) {
        struct task_struct *task = pid_task(pidfd_pid(event->pidfd));
        if (task) target_fill(&event->target, task);
        event->targets_sensor = targets_sensor(task);
    }
    return record_submit(record);
}
