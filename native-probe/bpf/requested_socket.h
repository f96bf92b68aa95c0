// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What a caller asks a socket to be, as socket and socketpair take it: the type comes with flags.
#pragma once

#include "descriptor.h"
#include "syscall.h"

// Members are fields of the messages Socket and Socketpair.
struct requested_socket {
    u32 domain;
    u32 socket_type;
    u32 protocol;
    u32 requested_type;
    u8 nonblocking;
    u8 close_on_exec;
};

static __always_inline struct requested_socket requested_socket_read(const struct call_frame *frame) {
    u32 type = SYSCALL_ARGUMENT_1(frame);
    return (struct requested_socket){
        .domain = SYSCALL_ARGUMENT_0(frame),
        .socket_type = type & SOCK_TYPE_MASK,
        .protocol = SYSCALL_ARGUMENT_2(frame),
        .requested_type = type,
        .nonblocking = (type & SOCK_NONBLOCK) != 0,
        .close_on_exec = (type & SOCK_CLOEXEC) != 0,
    };
}
