// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each perf_event_open, and each try.
#include "syscall.h"

struct perf_event_open_event {
    struct event_header header;
    u32 type;
    u64 config;
    s32 watched_pid;
    s32 cpu;
    s32 group_fd;
    u64 flags;
};

EVENT_RECORD(perf_event_open, EVENT_PERF_EVENT_OPEN)

// The head of struct perf_event_attr.
struct perf_attributes {
    u32 type;
    u32 size;
    u64 config;
};

SYSCALL_PROGRAM(perf_event_open, EVENT_PERF_EVENT_OPEN, frame, result) {
    if (!event_seen(EVENT_PERF_EVENT_OPEN)) return 0;
    struct record *record;
    struct perf_event_open_event *event = perf_event_open_begin(&record);
    if (!event) return 0;
    struct perf_attributes attributes = {};

    header_fill_call(record, &event->header, frame, result);
    bpf_probe_read_user(&attributes, sizeof(attributes), (const void *)SYSCALL_ARGUMENT_0(frame));
    event->type = attributes.type;
    event->config = attributes.config;
    event->watched_pid = SYSCALL_ARGUMENT_1(frame);
    event->cpu = SYSCALL_ARGUMENT_2(frame);
    event->group_fd = SYSCALL_ARGUMENT_3(frame);
    event->flags = SYSCALL_ARGUMENT_4(frame);
    return record_submit(record);
}
