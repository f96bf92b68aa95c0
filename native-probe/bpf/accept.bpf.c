// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each connection that a server takes, and each try: accept, accept4.
#include "descriptor.h"
#include "fold.h"
#include "ring.h"

struct accept_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    s32 listening_fd;
    u32 flags;
    u32 queue_length;
    u32 queue_max;
    u32 queue_percent;
    u32 peer_pid;
};

EVENT_RECORD(accept, EVENT_ACCEPT)

SYSCALL_PROGRAM(accept, EVENT_ACCEPT, frame, result) {
    if (!event_seen_of_others(EVENT_ACCEPT)) return 0;

    struct record *record;
    struct accept_event *event = accept_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->listening_fd = SYSCALL_ARGUMENT_0(frame);
    const bool is_descriptor = result_is_descriptor(frame, result);
    event->fd = result < 0 ? event->listening_fd : is_descriptor ? result : -1;
    if (event->header.call == CALL_ACCEPT4) event->flags = SYSCALL_ARGUMENT_3(frame);
    struct sock *listening = file_sock(record_file(record, event->listening_fd));
    event->queue_length = BPF_CORE_READ(listening, sk_ack_backlog);
    event->queue_max = BPF_CORE_READ(listening, sk_max_ack_backlog);
    if (event->queue_max) event->queue_percent = (u64)event->queue_length * 100 / event->queue_max;
    struct file *file = result < 0 || is_descriptor ? descriptor_fill(record, &event->descriptor, event->fd) : NULL;
    struct sock *sock = file_sock(file);
    event->descriptor.is_server = sock != NULL;
    if (sock && result >= 0) event->peer_pid = socket_peer_pid(sock);
    struct descriptor *both = &event->descriptor;
    return record_submit_wanted_ends(record, filter_socket_class(both->family, result), &both->local, &both->remote,
                                     true);
}

RING_PROGRAM(accept)
