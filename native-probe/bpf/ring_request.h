// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What a ring is asked to do, kept as the arguments of the system call that does the same.
#pragma once

#include "message.h"
#include "path.h"

enum {
    RING_TEXTS = 2,
    SOCKADDR_SIZE_MAX = 128,
    // XATTR_NAME_MAX and a NUL, and as much of a value as its event carries.
    RING_XATTR_NAME_SIZE = 256,
    RING_XATTR_VALUE_SIZE = 64,
};

// Of enum io_uring_op and of the flags of a submission (include/uapi/linux/io_uring.h).
enum {
    // O_LARGEFILE, which io_uring adds for every program of 64 bits.
    RING_ADDS_TO_FLAGS = 0100000,
    RING_WRITEV = 2,
    RING_WRITE_FIXED = 5,
    RING_SENDMSG = 9,
    RING_RECVMSG = 10,
    RING_ACCEPT = 13,
    RING_CONNECT = 16,
    RING_OPENAT = 18,
    RING_WRITE = 23,
    RING_SEND = 26,
    RING_RECV = 27,
    RING_OPENAT2 = 28,
    RING_SPLICE = 30,
    RING_SHUTDOWN = 34,
    RING_RENAMEAT = 35,
    RING_UNLINKAT = 36,
    RING_MKDIRAT = 37,
    RING_SYMLINKAT = 38,
    RING_LINKAT = 39,
    RING_FSETXATTR = 41,
    RING_SETXATTR = 42,
    RING_SOCKET = 45,
    RING_SEND_ZC = 47,
    RING_SENDMSG_ZC = 48,
    RING_FTRUNCATE = 55,
    RING_BIND = 56,
    RING_LISTEN = 57,
    RING_WRITEV_FIXED = 61,
    RING_FIXED_FILE = 1 << 0,
    // A success is not told to the process, nor by the tracepoint.
    RING_SKIP_SUCCESS = 1 << 6,
};

// A request under way, and copies of what its arguments point to: the process may have changed its own since.
struct ring_request {
    struct ring_call call;
    char texts[RING_TEXTS][PATH_SIZE_MAX];
};

// What is kept of a message in place of its first text.
struct ring_message {
    struct user_message head;
    struct user_piece pieces[MESSAGE_PIECES_MAX];
    char name[SOCKADDR_SIZE_MAX];
};

// What is kept of an extended attribute in place of its second text.
struct ring_xattr {
    char name[RING_XATTR_NAME_SIZE];
    char value[RING_XATTR_VALUE_SIZE];
};

// 7.3 holds names that it has not finished with (struct delayed_filename), 6.18 does not yet.
#define RING_FILENAME(type, member)                                                                                    \
    (bpf_core_type_exists(struct delayed_filename)                                                                     \
         ? BPF_CORE_READ((struct type##___delayed *)&request->cmd, member.__incomplete_filename)                       \
         : BPF_CORE_READ((struct type *)&request->cmd, member))

static __always_inline u64 ring_filename(struct ring_request *kept, u32 n, struct filename *filename) {
    bpf_probe_read_kernel_str(kept->texts[n], PATH_SIZE_MAX, BPF_CORE_READ(filename, name));
    return (u64)kept->texts[n];
}

// A slot in the ring's own table is no descriptor.
static __always_inline u64 ring_descriptor(struct io_kiocb *request, u32 flags) {
    return flags & RING_FIXED_FILE ? -1 : BPF_CORE_READ(request, cqe.fd);
}

static __always_inline void ring_copy_user(void *to, u32 size, const void *from) {
    barrier_var(size);
    if (size <= SOCKADDR_SIZE_MAX) bpf_probe_read_user(to, size, from);
}

static __always_inline void ring_copy_kernel(void *to, u32 size, const void *from) {
    barrier_var(size);
    if (size <= SOCKADDR_SIZE_MAX) bpf_probe_read_kernel(to, size, from);
}

// Where the address to bind to is kept. 6.12 has it in a prepared message, 6.18.44 alone, and no type says so: what
// does not begin with a family begins with a pointer.
static __always_inline const void *ring_bind_address(struct io_kiocb *request) {
    struct io_async_msghdr *prepared = BPF_CORE_READ(request, async_data);
    u16 family = 0;
    bpf_probe_read_kernel(&family, sizeof(family), prepared);
    return family && family < AF_MAX ? (const void *)prepared : (const void *)&prepared->addr;
}

// Operations that make sockets, or give them an end. Returns the call, as the others that keep requests.
static __noinline u32 ring_socket_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    u64 *arguments = kept->call.arguments;
    const bool is_silent = flags & RING_SKIP_SUCCESS;
    arguments[0] = ring_descriptor(request, flags);
    if (operation == RING_SOCKET) {
        struct io_socket *socket = (void *)&request->cmd;
        kept->call.makes_no_descriptor = is_silent || BPF_CORE_READ(socket, file_slot);
        arguments[0] = BPF_CORE_READ(socket, domain);
        arguments[1] = BPF_CORE_READ(socket, type) | BPF_CORE_READ(socket, flags);
        arguments[2] = BPF_CORE_READ(socket, protocol);
        return CALL_SOCKET;
    }
    if (operation == RING_ACCEPT) {
        struct io_accept *accept = (void *)&request->cmd;
        kept->call.makes_no_descriptor = is_silent || BPF_CORE_READ(accept, file_slot);
        arguments[3] = BPF_CORE_READ(accept, flags);
        return CALL_ACCEPT4;
    }
    arguments[1] = (u64)kept->texts[0];
    // 6.11 brought it, and listening (7481fd93fa0a).
    if (bpf_core_type_exists(struct io_bind) && operation == RING_BIND) {
        struct io_bind *bind = (void *)&request->cmd;
        arguments[2] = BPF_CORE_READ(bind, addr_len);
        ring_copy_kernel(kept->texts[0], arguments[2], ring_bind_address(request));
        return CALL_BIND;
    }
    struct io_connect *connect = (void *)&request->cmd;
    arguments[2] = BPF_CORE_READ(connect, addr_len);
    ring_copy_user(kept->texts[0], arguments[2], BPF_CORE_READ(connect, addr));
    return CALL_CONNECT;
}

// Operations whose arguments are numbers.
static __noinline u32 ring_numbers_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    u64 *arguments = kept->call.arguments;
    arguments[0] = ring_descriptor(request, flags);
    if (bpf_core_type_exists(struct io_listen) && operation == RING_LISTEN) {
        arguments[1] = BPF_CORE_READ((struct io_listen *)&request->cmd, backlog);
        return CALL_LISTEN;
    }
    if (operation == RING_SHUTDOWN) {
        arguments[1] = BPF_CORE_READ((struct io_shutdown *)&request->cmd, how);
        return CALL_SHUTDOWN;
    }
    // 6.9 brought it (b4bb1900c12e).
    if (bpf_core_type_exists(struct io_ftrunc)) arguments[1] = BPF_CORE_READ((struct io_ftrunc *)&request->cmd, len);
    return CALL_FTRUNCATE;
}

static __always_inline bool ring_operation_sends(u32 operation) {
    return operation == RING_SEND || operation == RING_SENDMSG || operation == RING_SEND_ZC ||
           operation == RING_SENDMSG_ZC;
}

static __always_inline bool ring_operation_has_header(u32 operation) {
    return operation == RING_SENDMSG || operation == RING_RECVMSG || operation == RING_SENDMSG_ZC;
}

// A process may use a header anew as soon as it is submitted. Where a message came from is written into its own.
static __always_inline void ring_header_copy(struct ring_message *copy, const void *from, bool sends) {
    const u32 size = __builtin_offsetof(struct user_message, transferred);
    if (bpf_probe_read_user(&copy->head, size, from)) return;
    u64 count = copy->head.piece_count < MESSAGE_PIECES_MAX ? copy->head.piece_count : MESSAGE_PIECES_MAX;
    u32 pieces_size = count * sizeof(struct user_piece);
    barrier_var(pieces_size);
    if (pieces_size > sizeof(copy->pieces)) return;
    if (bpf_probe_read_user(copy->pieces, pieces_size, (const void *)copy->head.pieces)) copy->head.piece_count = 0;
    copy->head.pieces = (u64)copy->pieces;
    if (!sends || !copy->head.name) return;
    ring_copy_user(copy->name, copy->head.name_size, (const void *)copy->head.name);
    copy->head.name = (u64)copy->name;
}

// The address of one that is sent to; after 6.12 it is only in the prepared message.
static __always_inline void ring_name_copy(struct ring_request *kept, struct io_kiocb *request, char *copy) {
    struct io_sr_msg___with_address *message = (void *)&request->cmd;
    struct io_async_msghdr *prepared = BPF_CORE_READ(request, async_data);
    u64 *arguments = kept->call.arguments;
    if (bpf_core_field_exists(message->addr)) {
        arguments[5] = BPF_CORE_READ(message, addr_len);
        ring_copy_user(copy, arguments[5], BPF_CORE_READ(message, addr));
    } else if (prepared && BPF_CORE_READ(prepared, msg.msg_name)) {
        arguments[5] = BPF_CORE_READ(prepared, msg.msg_namelen);
        ring_copy_kernel(copy, arguments[5], BPF_CORE_READ(prepared, msg.msg_name));
    }
    if (arguments[5]) arguments[4] = (u64)copy;
}

// Messages.
static __noinline u32 ring_message_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    u64 *arguments = kept->call.arguments;
    struct io_sr_msg *message = (void *)&request->cmd;
    struct ring_message *copy = (void *)kept->texts[0];
    const bool sends = ring_operation_sends(operation);
    arguments[0] = ring_descriptor(request, flags);
    if (ring_operation_has_header(operation)) {
        ring_header_copy(copy, BPF_CORE_READ(message, umsg), sends);
        arguments[1] = (u64)&copy->head;
        arguments[2] = BPF_CORE_READ(message, msg_flags);
        return sends ? CALL_SENDMSG : CALL_RECVMSG;
    }
    arguments[1] = (u64)BPF_CORE_READ(message, buf);
    arguments[2] = (u32)BPF_CORE_READ(message, len);
    arguments[3] = BPF_CORE_READ(message, msg_flags);
    if (sends) ring_name_copy(kept, request, copy->name);
    return sends ? CALL_SENDTO : CALL_RECVFROM;
}

// Extended attributes.
static __noinline u32 ring_xattr_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    u64 *arguments = kept->call.arguments;
    struct io_xattr *xattr = (void *)&request->cmd;
    struct ring_xattr *copy = (void *)kept->texts[1];
    const bool by_path = operation == RING_SETXATTR;
    u64 size = BPF_CORE_READ(xattr, ctx.size);
    u32 copied = size < sizeof(copy->value) ? size : sizeof(copy->value);
    barrier_var(copied);
    if (copied <= sizeof(copy->value)) bpf_probe_read_kernel(copy->value, copied, BPF_CORE_READ(xattr, ctx.kvalue));
    bpf_probe_read_kernel_str(copy->name, sizeof(copy->name), BPF_CORE_READ(xattr, ctx.kname));
    arguments[0] =
        by_path ? ring_filename(kept, 0, RING_FILENAME(io_xattr, filename)) : ring_descriptor(request, flags);
    arguments[1] = (u64)copy->name;
    arguments[2] = (u64)copy->value;
    arguments[3] = size;
    arguments[4] = BPF_CORE_READ(xattr, ctx.flags);
    return by_path ? CALL_SETXATTR : CALL_FSETXATTR;
}

// Operations on names.
static __noinline u32 ring_names_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    u64 *arguments = kept->call.arguments;
    if (operation == RING_OPENAT || operation == RING_OPENAT2) {
        struct io_open *open = (void *)&request->cmd;
        kept->call.makes_no_descriptor = flags & RING_SKIP_SUCCESS || BPF_CORE_READ(open, file_slot);
        arguments[0] = BPF_CORE_READ(open, dfd);
        arguments[1] = ring_filename(kept, 0, RING_FILENAME(io_open, filename));
        arguments[2] = BPF_CORE_READ(open, how.flags) & ~RING_ADDS_TO_FLAGS;
        arguments[3] = BPF_CORE_READ(open, how.mode);
        return CALL_OPENAT;
    }
    if (operation == RING_UNLINKAT) {
        struct io_unlink *unlink = (void *)&request->cmd;
        arguments[0] = BPF_CORE_READ(unlink, dfd);
        arguments[1] = ring_filename(kept, 0, RING_FILENAME(io_unlink, filename));
        arguments[2] = BPF_CORE_READ(unlink, flags);
        return CALL_UNLINKAT;
    }
    if (operation == RING_MKDIRAT) {
        struct io_mkdir *mkdir = (void *)&request->cmd;
        arguments[0] = BPF_CORE_READ(mkdir, dfd);
        arguments[1] = ring_filename(kept, 0, RING_FILENAME(io_mkdir, filename));
        arguments[2] = BPF_CORE_READ(mkdir, mode);
        return CALL_MKDIRAT;
    }
    if (operation == RING_RENAMEAT) {
        struct io_rename *rename = (void *)&request->cmd;
        arguments[0] = BPF_CORE_READ(rename, old_dfd);
        arguments[1] = ring_filename(kept, 0, RING_FILENAME(io_rename, oldpath));
        arguments[2] = BPF_CORE_READ(rename, new_dfd);
        arguments[3] = ring_filename(kept, 1, RING_FILENAME(io_rename, newpath));
        arguments[4] = BPF_CORE_READ(rename, flags);
        return CALL_RENAMEAT2;
    }
    struct io_link *link = (void *)&request->cmd;
    const bool is_hard = operation == RING_LINKAT;
    u64 old_path = ring_filename(kept, 0, RING_FILENAME(io_link, oldpath));
    u64 new_path = ring_filename(kept, 1, RING_FILENAME(io_link, newpath));
    arguments[0] = is_hard ? (u64)BPF_CORE_READ(link, old_dfd) : old_path;
    arguments[1] = is_hard ? old_path : (u64)BPF_CORE_READ(link, new_dfd);
    arguments[2] = is_hard ? (u64)BPF_CORE_READ(link, new_dfd) : new_path;
    arguments[3] = new_path;
    arguments[4] = BPF_CORE_READ(link, flags);
    return is_hard ? CALL_LINKAT : CALL_SYMLINKAT;
}

// Keeps what the operation is asked for; returns the system call that does the same.
static __always_inline u32 ring_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    switch (operation) {
    case RING_SOCKET:
    case RING_ACCEPT:
    case RING_BIND:
    case RING_CONNECT:
        return ring_socket_keep(kept, request, operation, flags);
    case RING_LISTEN:
    case RING_SHUTDOWN:
    case RING_FTRUNCATE:
        return ring_numbers_keep(kept, request, operation, flags);
    case RING_SEND:
    case RING_SEND_ZC:
    case RING_SENDMSG:
    case RING_SENDMSG_ZC:
    case RING_RECV:
    case RING_RECVMSG:
        return ring_message_keep(kept, request, operation, flags);
    case RING_SETXATTR:
    case RING_FSETXATTR:
        return ring_xattr_keep(kept, request, operation, flags);
    default:
        return ring_names_keep(kept, request, operation, flags);
    }
}
