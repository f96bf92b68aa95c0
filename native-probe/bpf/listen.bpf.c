// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each socket that begins to take connections, and each try.
#include "descriptor.h"
#include "ring.h"

struct listen_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    u32 backlog;
};

EVENT_RECORD(listen, EVENT_LISTEN)

SYSCALL_PROGRAM(listen, EVENT_LISTEN, frame, result) {
    if (!event_seen_of_others(EVENT_LISTEN)) return 0;

    struct record *record;
    struct listen_event *event = listen_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->fd = SYSCALL_ARGUMENT_0(frame);
    event->backlog = SYSCALL_ARGUMENT_1(frame);
    descriptor_fill(record, &event->descriptor, event->fd);
    return record_submit(record);
}

RING_PROGRAM(listen)
