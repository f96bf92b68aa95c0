// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each ring for asynchronous operations that is made or changed, and each try.
#include "syscall.h"

struct io_uring_event {
    struct event_header header;
    s32 fd;
    u32 entries;
    u32 submission_entries;
    u32 completion_entries;
    u32 flags;
    u32 thread_cpu;
    u32 thread_idle_ms;
    u32 features;
    u32 operation;
    u32 arguments;
};

EVENT_RECORD(io_uring, EVENT_IO_URING)

// The head of struct io_uring_params.
struct ring_parameters {
    u32 submission_entries;
    u32 completion_entries;
    u32 flags;
    u32 thread_cpu;
    u32 thread_idle_ms;
    u32 features;
};

static __always_inline void ring_setup_fill(struct io_uring_event *event, const struct call_frame *frame) {
    struct ring_parameters parameters = {};
    bpf_probe_read_user(&parameters, sizeof(parameters), (const void *)SYSCALL_ARGUMENT_1(frame));
    event->fd = -1;
    event->entries = SYSCALL_ARGUMENT_0(frame);
    event->submission_entries = parameters.submission_entries;
    event->completion_entries = parameters.completion_entries;
    event->flags = parameters.flags;
    event->thread_cpu = parameters.thread_cpu;
    event->thread_idle_ms = parameters.thread_idle_ms;
    event->features = parameters.features;
}

SYSCALL_PROGRAM(io_uring, EVENT_IO_URING, frame, result) {
    if (!event_seen(EVENT_IO_URING)) return 0;
    struct record *record;
    struct io_uring_event *event = io_uring_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    if (event->header.call == CALL_IO_URING_SETUP) {
        ring_setup_fill(event, frame);
        return record_submit(record);
    }
    event->fd = SYSCALL_ARGUMENT_0(frame);
    event->operation = SYSCALL_ARGUMENT_1(frame);
    event->arguments = SYSCALL_ARGUMENT_3(frame);
    return record_submit(record);
}
