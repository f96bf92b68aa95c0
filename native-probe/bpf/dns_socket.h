// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Whether DNS may pass through a socket.
#pragma once

#include "socket.h"

static __always_inline bool port_is_dns(u16 port) {
    struct settings *now = settings_read();
    if (!now || !port) return false;
    for (int i = 0; i < DNS_PORTS_MAX; i++)
        if (now->dns_ports[i] == port) return true;
    return false;
}

// What is most of all that is sent and received ends here: no internet socket, or one connected to something else.
static __always_inline bool sock_can_be_dns(struct sock *sock) {
    u16 family = sock ? BPF_CORE_READ(sock, __sk_common.skc_family) : 0;
    if (family != AF_INET && family != AF_INET6) return false;
    u16 port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
    return !port || port_is_dns(port);
}
