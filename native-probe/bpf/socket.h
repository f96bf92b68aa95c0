// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Both ends of a socket, as the socket has them or as a caller's sockaddr says.
#pragma once

#include "record.h"

// No family has a number from the last on; the highest today is 45.
enum { AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_MAX = 64 };

// Of every kind of socket, whatever the name says (include/net/tcp_states.h).
enum { TCP_SYN_SENT = 2, TCP_FIN_WAIT1 = 4, TCP_CLOSE = 7, TCP_LAST_ACK = 9, TCP_LISTEN = 10 };

enum { IPPROTO_TCP = 6, IPPROTO_UDP = 17 };

// What socket(2), socketpair(2) and accept4(2) take beside the type.
enum { SOCK_TYPE_MASK = 0xf, SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000 };

enum {
    IPV4_SIZE = 4,
    IPV6_SIZE = 16,
    // Of ::ffff:a.b.c.d, the bytes before the IPv4 address.
    IPV4_MAPPED_PREFIX_SIZE = 12,
    // sun_path
    UNIX_PATH_SIZE_MAX = 108,
    // What comes before sun_path.
    UNIX_FAMILY_SIZE = 2,
};

// Members are fields of the message Endpoint.
struct endpoint {
    struct ip_address address;
    u16 port;
    struct text path;
};

// The head of every sockaddr, and those of IPv4 and IPv6 (RFC 3493).
struct sockaddr_head {
    u16 family;
    u16 port;
    u32 flow_or_ipv4;
    u8 ipv6[IPV6_SIZE];
};

static __always_inline void endpoint_ipv4(struct endpoint *end, u32 address, u16 port) {
    end->address.length = IPV4_SIZE;
    __builtin_memcpy(end->address.bytes, &address, IPV4_SIZE);
    end->port = port;
}

// An IPv4 address in IPv6's clothes is what rules know it by: IPv4.
static __always_inline void endpoint_ipv6(struct endpoint *end, const u8 *address, u16 port) {
    u64 first;
    u32 third, fourth;
    __builtin_memcpy(&first, address, sizeof(first));
    __builtin_memcpy(&third, address + 8, sizeof(third));
    __builtin_memcpy(&fourth, address + IPV4_MAPPED_PREFIX_SIZE, sizeof(fourth));
    if (first == 0 && third == bpf_htonl(0xffff)) return endpoint_ipv4(end, fourth, port);
    end->address.length = IPV6_SIZE;
    __builtin_memcpy(end->address.bytes, address, IPV6_SIZE);
    end->port = port;
}

// The path of a unix socket: up to its NUL, or, in the abstract namespace, all `length` bytes with the leading NUL.
static __always_inline void endpoint_unix(struct record *record, struct endpoint *end, const void *path, long length) {
    u8 *room = record_room(record);
    if (!room || length <= 0) return;
    if (length > UNIX_PATH_SIZE_MAX) length = UNIX_PATH_SIZE_MAX;
    u32 size = length;
    barrier_var(size);
    if (size > UNIX_PATH_SIZE_MAX || bpf_probe_read_kernel(room, size, path)) return;
    if (room[0] == 0)
        record_text(record, &end->path, size);
    else
        record_kernel_string(record, &end->path, path, UNIX_PATH_SIZE_MAX + 1);
}

static __always_inline void endpoint_unix_socket(struct record *record, struct endpoint *end,
                                                 struct unix_sock *socket) {
    struct unix_address *address = BPF_CORE_READ(socket, addr);
    if (!address) return;
    const char *name = (const char *)&address->name;
    endpoint_unix(record, end, name + UNIX_FAMILY_SIZE, (long)BPF_CORE_READ(address, len) - UNIX_FAMILY_SIZE);
}

// Both ends as the socket has them; what it has not stays empty.
static __noinline int socket_ends(struct record *record, struct sock *sock, struct endpoint *local,
                                  struct endpoint *remote) {
    u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);
    u16 port = BPF_CORE_READ(sock, __sk_common.skc_num);
    u16 remote_port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
    u8 address[IPV6_SIZE];

    // A socket that was just closed has given its port back, but knows it still.
    if (!port && (family == AF_INET || family == AF_INET6))
        port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sock, inet_sport));
    if (family == AF_INET) {
        if (port) endpoint_ipv4(local, BPF_CORE_READ(sock, __sk_common.skc_rcv_saddr), port);
        if (remote_port) endpoint_ipv4(remote, BPF_CORE_READ(sock, __sk_common.skc_daddr), remote_port);
    } else if (family == AF_INET6) {
        bpf_core_read(address, sizeof(address), &sock->__sk_common.skc_v6_rcv_saddr);
        if (port) endpoint_ipv6(local, address, port);
        bpf_core_read(address, sizeof(address), &sock->__sk_common.skc_v6_daddr);
        if (remote_port) endpoint_ipv6(remote, address, remote_port);
    } else if (family == AF_UNIX) {
        struct unix_sock *peer = (void *)BPF_CORE_READ((struct unix_sock *)sock, peer);
        endpoint_unix_socket(record, local, (struct unix_sock *)sock);
        if (peer) endpoint_unix_socket(record, remote, peer);
    }
    return 0;
}

// Of a unix socket that is connected: who listened, or, when it was accepted, who connected.
static __always_inline u32 socket_peer_pid(struct sock *sock) {
    return BPF_CORE_READ(sock, sk_peer_pid, numbers[0].nr);
}

// The end that a caller names with a sockaddr in its memory; returns the family it says, 0 where it is unreadable.
static __noinline int sockaddr_end(struct record *record, struct endpoint *end, const void *from, long size) {
    struct sockaddr_head head = {};
    u32 head_size = size < (long)sizeof(head) ? size : sizeof(head);
    barrier_var(head_size);
    if (size < (long)sizeof(head.family) || head_size > sizeof(head)) return 0;
    if (record_read_passed(record, &head, head_size, from)) return 0;
    if (head.family == AF_INET) endpoint_ipv4(end, head.flow_or_ipv4, bpf_ntohs(head.port));
    if (head.family == AF_INET6) endpoint_ipv6(end, head.ipv6, bpf_ntohs(head.port));
    if (head.family == AF_UNIX) {
        u8 *room = record_room(record);
        u32 length = size - UNIX_FAMILY_SIZE;
        barrier_var(length);
        if (!room || length > UNIX_PATH_SIZE_MAX) return head.family;
        if (record_read_passed(record, room, length, from + UNIX_FAMILY_SIZE)) return head.family;
        if (room[0] == 0)
            record_text(record, &end->path, length);
        else
            record_user_string(record, &end->path, from + UNIX_FAMILY_SIZE, UNIX_PATH_SIZE_MAX + 1);
    }
    return head.family;
}
