// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each pair of connected sockets, and each try to make one.
#include "requested_socket.h"

struct socketpair_event {
    struct event_header header;
    s32 fd;
    s32 other_fd;
    struct descriptor descriptor;
    struct requested_socket request;
};

EVENT_RECORD(socketpair, EVENT_SOCKETPAIR)

SYSCALL_PROGRAM(socketpair, EVENT_SOCKETPAIR, frame, result) {
    if (!event_seen_of_others(EVENT_SOCKETPAIR)) return 0;

    struct record *record;
    struct socketpair_event *event = socketpair_begin(&record);
    if (!event) return 0;
    s32 fds[2] = {-1, -1};
    header_fill_call(record, &event->header, frame, result);
    event->request = requested_socket_read(frame);
    if (result == 0) bpf_probe_read_user(fds, sizeof(fds), (const void *)SYSCALL_ARGUMENT_3(frame));
    event->fd = fds[0];
    event->other_fd = fds[1];
    if (result == 0) descriptor_fill(record, &event->descriptor, event->fd);
    return record_submit(record);
}
