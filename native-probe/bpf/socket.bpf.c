// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each socket that is made, and each try: raw and packet sockets read what is not for them.
#include "requested_socket.h"
#include "ring.h"

struct socket_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    struct requested_socket request;
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
    event->request = requested_socket_read(frame);
    if (is_made) descriptor_fill(record, &event->descriptor, result);
    return record_submit(record);
}

RING_PROGRAM(socket)
