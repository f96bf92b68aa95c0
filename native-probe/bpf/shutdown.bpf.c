// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each direction of a connection that a process ends, and each try.
#include "descriptor.h"
#include "ring.h"

struct shutdown_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    u32 how;
};

EVENT_RECORD(shutdown, EVENT_SHUTDOWN)

SYSCALL_PROGRAM(shutdown, EVENT_SHUTDOWN, frame, result) {
    if (!event_seen_of_others(EVENT_SHUTDOWN)) return 0;

    struct record *record;
    struct shutdown_event *event = shutdown_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->fd = SYSCALL_ARGUMENT_0(frame);
    event->how = SYSCALL_ARGUMENT_1(frame);
    descriptor_fill(record, &event->descriptor, event->fd);
    return record_submit(record);
}

RING_PROGRAM(shutdown)
