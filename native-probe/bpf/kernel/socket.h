// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Sockets and their addresses.
#pragma once

#include "types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
    u8 in6_u[16];
};

struct net;
struct pid;

typedef struct {
    struct net *net;
} possible_net_t;

struct sock_common {
    u32 skc_daddr, skc_rcv_saddr;
    u16 skc_dport, skc_num;
    unsigned short skc_family;
    volatile unsigned char skc_state;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
    struct sock_common __sk_common;
    u16 sk_type, sk_protocol;
    u32 sk_ack_backlog, sk_max_ack_backlog;
    int sk_err;
    struct pid *sk_peer_pid;
};

struct inet_sock {
    struct sock sk;
    u16 inet_sport;
};

struct tcp_sock {
    u64 bytes_received, bytes_acked;
};

struct socket {
    short type;
    struct sock *sk;
};

struct sockaddr_un {
    u16 sun_family;
};

struct unix_address {
    int len;
    struct sockaddr_un name[1];
};

struct unix_sock {
    struct sock sk;
    struct unix_address *addr;
    struct sock *peer;
};

#pragma clang attribute pop
