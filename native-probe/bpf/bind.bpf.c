// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each address that a socket is given, and each try: the one asked for and the one it has then.
#include "descriptor.h"
#include "ring.h"

struct bind_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    struct endpoint requested;
    u32 requested_family;
};

EVENT_RECORD(bind, EVENT_BIND)

SYSCALL_PROGRAM(bind, EVENT_BIND, frame, result) {
    if (!event_seen_of_others(EVENT_BIND)) return 0;

    struct record *record;
    struct bind_event *event = bind_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->fd = SYSCALL_ARGUMENT_0(frame);
    descriptor_fill(record, &event->descriptor, event->fd);
    const void *address = (const void *)SYSCALL_ARGUMENT_1(frame);
    event->requested_family = sockaddr_end(record, &event->requested, address, (s32)SYSCALL_ARGUMENT_2(frame));
    return record_submit(record);
}

RING_PROGRAM(bind)
