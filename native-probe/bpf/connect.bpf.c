// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each connect of a socket, and each try, with both ends.
#include "descriptor.h"
#include "fold.h"
#include "ring.h"

enum { EINPROGRESS = 115 };

struct connect_event {
    struct event_header header;
    s32 fd;
    u16 family;
    u16 socket_type;
    u16 protocol;
    struct endpoint local;
    struct endpoint remote;
    u32 peer_pid;
};

EVENT_RECORD(connect, EVENT_CONNECT)

// False where the descriptor is no socket.
static __always_inline bool connect_socket_fill(struct record *record, struct connect_event *event) {
    struct file *file = record_file(record, event->fd);
    struct socket *socket = file ? file_socket(file) : NULL;
    struct sock *sock = socket ? BPF_CORE_READ(socket, sk) : NULL;
    if (!sock) return false;
    event->family = BPF_CORE_READ(sock, __sk_common.skc_family);
    event->socket_type = BPF_CORE_READ(socket, type);
    event->protocol = BPF_CORE_READ(sock, sk_protocol);
    socket_ends(record, sock, &event->local, &event->remote);
    event->peer_pid = socket_peer_pid(sock);
    return true;
}

SYSCALL_PROGRAM(connect, EVENT_CONNECT, frame, result) {
    if (!event_seen_of_others(EVENT_CONNECT)) return 0;

    struct record *record;
    struct connect_event *event = connect_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->fd = SYSCALL_ARGUMENT_0(frame);
    bool is_socket = connect_socket_fill(record, event);
    // A socket that was refused has forgotten whom it asked for.
    if (!event->remote.port && !event->remote.path.length) {
        const void *address = (const void *)SYSCALL_ARGUMENT_1(frame);
        u16 family = sockaddr_end(record, &event->remote, address, (s32)SYSCALL_ARGUMENT_2(frame));
        if (!is_socket) event->family = family;
    }
    // Asked of the record itself: what it says of the ends is what rules will see.
    return record_submit_wanted_ends(record, filter_socket_class(event->family, result), &event->local, &event->remote,
                                     false);
}

RING_PROGRAM(connect)
