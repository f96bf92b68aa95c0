// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each socket that is made, and each try: raw and packet sockets read what is not for them.
#include "descriptor.h"
#include "ring.h"

struct socket_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    u32 domain;
    u32 socket_type;
    u32 protocol;
    u32 requested_type;
    u8 nonblocking;
    u8 close_on_exec;
};

EVENT_RECORD(socket, EVENT_SOCKET)

SYSCALL_PROGRAM(socket, EVENT_SOCKET, frame, result) {
    if (!event_seen_of_others(EVENT_SOCKET)) return 0;

    struct record *record;
    struct socket_event *event = socket_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const bool is_made = result_is_descriptor(frame, result);
    event->fd = is_made ? result : -1;
    event->domain = SYSCALL_ARGUMENT_0(frame);
    event->requested_type = SYSCALL_ARGUMENT_1(frame);
    event->socket_type = event->requested_type & SOCK_TYPE_MASK;
    event->nonblocking = (event->requested_type & SOCK_NONBLOCK) != 0;
    event->close_on_exec = (event->requested_type & SOCK_CLOEXEC) != 0;
    event->protocol = SYSCALL_ARGUMENT_2(frame);
    if (is_made) descriptor_fill(record, &event->descriptor, result);
    return record_submit(record);
}

RING_PROGRAM(socket)
