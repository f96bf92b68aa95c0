// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of a TCP socket's state, with the process whose socket it is.
#include "descriptor.h"
#include "task.h"

enum {
    // Sockets whose process is remembered; beyond that the one used longest ago is forgotten.
    SOCKET_OWNERS_MAX = 8192,
};

struct tcp_state_event {
    struct event_header header;
    struct descriptor descriptor;
    u32 old_state;
    u32 new_state;
    u32 error;
    u64 acknowledged_bytes;
    u64 received_bytes;
};

EVENT_RECORD(tcp_state, EVENT_TCP_STATE)

// A socket by its place in memory; or whatever listens at a port of a network namespace, since the socket of a
// connection that comes from outside belongs to nobody yet.
struct socket_key {
    u64 sock;
    u32 network_namespace;
    u32 port;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, SOCKET_OWNERS_MAX);
    __type(key, struct socket_key);
    __type(value, struct event_header);
} socket_owners SEC(".maps");

static __always_inline struct socket_key listener_key(struct sock *sock) {
    return (struct socket_key){
        .network_namespace = BPF_CORE_READ(sock, __sk_common.skc_net.net, ns.inum),
        .port = BPF_CORE_READ((struct inet_sock *)sock, inet_sport),
    };
}

// Packets and timers change states in the middle of whatever runs; but a process itself connects, listens and closes.
static __always_inline bool state_is_changed_by_current(int old_state, int new_state) {
    return new_state == TCP_SYN_SENT || new_state == TCP_LISTEN || new_state == TCP_FIN_WAIT1 ||
           new_state == TCP_LAST_ACK || (old_state == TCP_LISTEN && new_state == TCP_CLOSE);
}

static __always_inline struct event_header *socket_owner(struct sock *sock) {
    struct socket_key key = {.sock = (u64)sock};
    return bpf_map_lookup_elem(&socket_owners, &key);
}

// Remembers whose socket it is, from when the process made it a client or a server until it is closed.
static __always_inline void socket_owner_update(struct sock *sock, struct event_header *header, int old_state,
                                                int new_state) {
    struct socket_key key = {.sock = (u64)sock};
    struct socket_key listener = listener_key(sock);
    if (new_state == TCP_CLOSE) {
        struct event_header *listening = bpf_map_lookup_elem(&socket_owners, &listener);
        bool is_last = old_state == TCP_LISTEN && listening && listening->pid == header->pid;
        if (is_last) bpf_map_delete_elem(&socket_owners, &listener);
        bpf_map_delete_elem(&socket_owners, &key);
    } else if (new_state == TCP_SYN_SENT) {
        bpf_map_update_elem(&socket_owners, &key, header, BPF_ANY);
    } else if (new_state == TCP_LISTEN) {
        bpf_map_update_elem(&socket_owners, &key, header, BPF_ANY);
        bpf_map_update_elem(&socket_owners, &listener, header, BPF_ANY);
    }
}

// Sets `is_server` of a connection that came from outside.
static __noinline int tcp_header_fill(struct record *record, struct tcp_state_event *event, struct sock *sock) {
    struct event_header *owner = socket_owner(sock);
    u64 now_ns = bpf_ktime_get_boot_ns();
    if (!owner && event->new_state != TCP_SYN_SENT && event->new_state != TCP_LISTEN) {
        struct socket_key listener = listener_key(sock);
        owner = bpf_map_lookup_elem(&socket_owners, &listener);
        event->descriptor.is_server |= owner != NULL;
    }
    if (owner)
        event->header = *owner;
    else if (state_is_changed_by_current(event->old_state, event->new_state))
        header_fill_current(record, &event->header);
    event->header.type = record->type;
    event->header.time_ns = now_ns;
    event->header.call = CALL_INET_SOCK_SET_STATE;
    return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sock, int old_state, int new_state) {
    if (BPF_CORE_READ(sock, sk_protocol) != IPPROTO_TCP) return 0;
    if (!event_seen(EVENT_TCP_STATE)) return 0;
    struct record *record;
    struct tcp_state_event *event = tcp_state_begin(&record);
    if (!event) return 0;
    event->old_state = old_state;
    event->new_state = new_state;
    sock_read(record, &event->descriptor, sock);
    event->descriptor.is_server |= old_state == TCP_LISTEN || new_state == TCP_LISTEN;
    tcp_header_fill(record, event, sock);
    socket_owner_update(sock, &event->header, old_state, new_state);
    if (process_is_own(event->header.pid, event->header.start_time_ns)) {
        record_cancel(record);
        return event_filtered(EVENT_TCP_STATE);
    }
    event->error = BPF_CORE_READ(sock, sk_err);
    event->acknowledged_bytes = BPF_CORE_READ((struct tcp_sock *)sock, bytes_acked);
    event->received_bytes = BPF_CORE_READ((struct tcp_sock *)sock, bytes_received);
    return record_submit(record);
}
