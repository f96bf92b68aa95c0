// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What a call sends or receives: whose, how much, the bytes; wherever the calls have it.
#pragma once

#include "descriptor.h"
#include "syscall.h"

enum {
    // Messages of one call that are looked at; those behind are counted as dropped.
    MESSAGES_MAX = 8,
    // Pieces of a message in memory; bytes in those behind are not seen.
    MESSAGE_PIECES_MAX = 8,
    MSG_PEEK = 2,
};

// struct mmsghdr, the head of which is a struct msghdr
struct user_message {
    u64 name;
    u32 name_size;
    u64 pieces;
    u64 piece_count;
    u64 control;
    u64 control_size;
    u64 flags;
    u32 transferred;
    u32 unused;
};

static __always_inline bool call_has_many_messages(u32 call) {
    return call == CALL_SENDMMSG || call == CALL_RECVMMSG;
}

static __always_inline bool call_has_pieces(u32 call) {
    return call == CALL_READV || call == CALL_WRITEV || call == CALL_PWRITEV || call == CALL_PWRITEV2;
}

static __always_inline bool call_receives(u32 call) {
    return call == CALL_READ || call == CALL_READV || call == CALL_RECVFROM || call == CALL_RECVMSG ||
           call == CALL_RECVMMSG;
}

static __always_inline bool message_piece(const struct message *message, u32 index, struct user_piece *piece) {
    if (index >= message->piece_count) return false;
    *piece = message->single;
    if (!message->pieces) return index == 0;
    const void *from = (const void *)(message->pieces + index * sizeof(*piece));
    if (message->pieces_are_copies) return !bpf_probe_read_kernel(piece, sizeof(*piece), from);
    return !bpf_probe_read_user(piece, sizeof(*piece), from);
}

// Of sendmsg, recvmsg and those with many; the last member is not there in a call with one.
static __always_inline void message_read_user(struct record *record, u64 from, u32 index, bool is_many) {
    struct message *message = &record->message;
    struct user_message user = {};
    u32 size = is_many ? sizeof(user) : __builtin_offsetof(struct user_message, transferred);
    if (record_read_passed(record, &user, size, (const void *)(from + index * sizeof(user)))) return;
    message->name = user.name;
    message->name_size = user.name_size;
    message->pieces = user.pieces;
    message->piece_count = user.piece_count < MESSAGE_PIECES_MAX ? user.piece_count : MESSAGE_PIECES_MAX;
    if (is_many && message->transferred >= 0) message->transferred = user.transferred;
}

// The file that a call was given, before there is a record of it; see record_file.
static __always_inline struct file *frame_file(const struct call_frame *frame, s32 fd) {
    return fd < 0 && frame->ring ? (struct file *)frame->ring->file : descriptor_file(fd);
}

static __always_inline void call_read(struct record_call *call, const struct call_frame *frame, s64 result, u32 index) {
    call->arguments[0] = SYSCALL_ARGUMENT_0(frame);
    call->arguments[1] = SYSCALL_ARGUMENT_1(frame);
    call->arguments[2] = SYSCALL_ARGUMENT_2(frame);
    call->arguments[3] = SYSCALL_ARGUMENT_3(frame);
    call->arguments[4] = SYSCALL_ARGUMENT_4(frame);
    call->arguments[5] = SYSCALL_ARGUMENT_5(frame);
    call->result = result;
    call->call = syscall_call(frame);
    call->index = index;
}

// A record that was begun, by its place; NULL where there is none.
static __always_inline struct record *record_at(u32 slot) {
    return bpf_map_lookup_elem(&scratch, &slot);
}

// Finds the message's parts, wherever the call has them. Not a static function, so that the verifier looks at it once,
// and not for each way its callers can take, and then at them for each way through it: that is more than it is ready
// to do.
__noinline int message_read(u32 slot) {
    struct record *record = record_at(slot);
    if (!record) return 0;
    const struct record_call *from = &record->call;
    struct message *message = &record->message;
    u64 second = from->arguments[1], third = from->arguments[2];
    u32 call = from->call;
    *message = (struct message){.call = call, .fd = from->arguments[0], .transferred = from->result};
    if (call == CALL_SENDMSG || call == CALL_RECVMSG) {
        message->flags = third;
        message_read_user(record, second, 0, false);
    } else if (call_has_many_messages(call)) {
        message->flags = from->arguments[3];
        message_read_user(record, second, from->index, true);
    } else if (call_has_pieces(call)) {
        message->pieces = second;
        message->piece_count = third < MESSAGE_PIECES_MAX ? third : MESSAGE_PIECES_MAX;
    } else {
        message->single = (struct user_piece){second, third};
        message->piece_count = 1;
    }
    if (call == CALL_SENDTO || call == CALL_RECVFROM) {
        message->flags = from->arguments[3];
        message->name = from->arguments[4];
        message->name_size = from->arguments[5];
        // recvfrom's is behind a pointer, since the kernel writes it.
        if (call == CALL_RECVFROM && message->name)
            bpf_probe_read_user(&message->name_size, sizeof(u32), (const void *)from->arguments[5]);
    }
    message->pieces_are_copies = record->of_copies;
    // Where a message came from stands where the process wanted it.
    if (call_receives(call)) record->of_copies = 0;
    struct user_piece piece;
    for (u32 i = 0; i < MESSAGE_PIECES_MAX && message_piece(message, i, &piece); i++) message->size += piece.size;
    return 0;
}

// Appends the first bytes of the message that was read, at most `limit`, to the record; what could not be read, and
// what is behind it, is left out. Where they are stands in `message_data` of the record then.
__noinline int message_data(u32 slot, u32 limit) {
    struct record *record = record_at(slot);
    if (!record) return 0;
    const struct message *message = &record->message;
    u64 there = message->transferred < 0 ? message->size : message->transferred;
    u32 left = there < limit ? there : limit;
    u32 begin = record->size;
    struct user_piece piece;
    for (u32 i = 0; i < MESSAGE_PIECES_MAX && left; i++) {
        u8 *room = record_room(record);
        if (!room || !message_piece(message, i, &piece)) break;
        u32 size = piece.size < left ? piece.size : left;
        barrier_var(size);
        if (size > PIECE_SIZE_MAX || (size && bpf_probe_read_user(room, size, (const void *)piece.base))) break;
        record->size += size;
        left -= size;
    }
    record->message_data = (struct text){begin, record->size - begin};
    return 0;
}

// The descriptor, and where the socket has no remote end of its own, the one that the message went to or came from.
static __noinline int message_descriptor(struct record *record, struct descriptor *descriptor,
                                         const struct message *message) {
    struct file *file = descriptor_fill(record, descriptor, message->fd);
    if (!file || descriptor->connected || !message->name) return 0;
    sockaddr_end(record, &descriptor->remote, (const void *)message->name, (s32)message->name_size);
    return 0;
}

// How many messages of a call are looked at; the ones behind them are counted as dropped. At least one: a call that
// failed tells of its first.
static __always_inline u32 messages_of_call(u32 type, u32 call, s64 result) {
    if (!call_has_many_messages(call) || result < 1) return 1;
    if (result <= MESSAGES_MAX) return result;
    LEDGER_ADD(type, seen, result - MESSAGES_MAX);
    LEDGER_ADD(type, dropped[DROP_REASON_TOO_MANY_MESSAGES], result - MESSAGES_MAX);
    return MESSAGES_MAX;
}

static __always_inline u32 sock_message_kind(struct sock *sock) {
    u16 family = sock ? BPF_CORE_READ(sock, __sk_common.skc_family) : 0;
    if (family == AF_UNIX) return MESSAGES_UNIX;
    if (family != AF_INET && family != AF_INET6) return MESSAGES_OTHER;
    return BPF_CORE_READ(sock, sk_protocol) == IPPROTO_TCP ? MESSAGES_TCP : MESSAGES_DATAGRAM;
}

// Whether a holder of interest could want what passes through the socket behind a descriptor.
static __always_inline bool message_is_wanted(struct file *file) {
    enum { ALL = MESSAGES_TCP | MESSAGES_DATAGRAM | MESSAGES_UNIX | MESSAGES_OTHER };
    struct settings *now = settings_read();
    u32 interest = now ? now->message_interest : ALL;
    if ((interest & ALL) == ALL) return true;
    return interest & sock_message_kind(file_sock(file));
}

static __always_inline u32 message_data_limit(void) {
    struct settings *now = settings_read();
    u32 limit = now ? now->message_data_size : 0;
    return limit < MESSAGE_DATA_SIZE_MAX ? limit : MESSAGE_DATA_SIZE_MAX;
}

// What both directions report; members are fields of the messages Send and Receive.
#define MESSAGE_EVENT(name)                                                                                            \
    struct name##_event {                                                                                              \
        struct event_header header;                                                                                    \
        s32 fd;                                                                                                        \
        struct descriptor descriptor;                                                                                  \
        u64 size;                                                                                                      \
        u32 flags;                                                                                                     \
        struct text data;                                                                                              \
        u32 message_index;                                                                                             \
    }

// Defines NAME_message(slot), which records one message of a call; see message_read for why it is not static.
#define MESSAGE_RECORD(name)                                                                                           \
    __noinline int name##_message(u32 slot) {                                                                          \
        struct record *record = record_at(slot);                                                                       \
        if (!record) return 0;                                                                                         \
        struct name##_event *event = (void *)record->bytes;                                                            \
        message_read(slot);                                                                                            \
        event->fd = record->message.fd;                                                                                \
        event->size = record->message.size;                                                                            \
        event->flags = record->message.flags;                                                                          \
        event->message_index = record->call.index;                                                                     \
        message_descriptor(record, &event->descriptor, &record->message);                                              \
        message_data(slot, message_data_limit());                                                                      \
        event->data = record->message_data;                                                                            \
        return record_submit(record);                                                                                  \
    }
