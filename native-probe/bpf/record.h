// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Builds a record in a buffer of this CPU: a struct of fixed size, then a tail its texts point into.
#pragma once

#include "ledger.h"

enum {
    // The largest single piece that is put into a tail.
    PIECE_SIZE_MAX = 4096,
    // A record's struct and the tail up to where the last piece may begin.
    RECORD_SIZE_MAX = 20480,
    // Programs that can be recording on one CPU at once: one, and two it is interrupted by.
    RECORDS_PER_CPU = 3,
    // A reader that polls is woken when the ring's position crosses a multiple of this, in bytes.
    WAKEUP_BYTES = 65536,
};

// Kinds of members, known to the addon by these names. Offsets count from the record's beginning, lengths are bytes.

struct text {
    u32 offset;
    u32 length;
};

// Components, the last one first, each with a NUL; the addon turns them around.
struct path_text {
    u32 offset;
    u16 length;
    // The way to the root was longer than what is here.
    u8 truncated;
};

// Texts with a NUL behind each; the last may lack it.
struct text_list {
    u32 offset;
    u32 length;
};

struct ip_address {
    // 0, 4 or 16 bytes, network order.
    u8 length;
    u8 bytes[16];
};

enum { CALL_ARGUMENTS = 6 };

struct record_call {
    u64 arguments[CALL_ARGUMENTS];
    s64 result;
    // enum call
    u32 call;
    // Of a call with several messages: which of them.
    u32 index;
};

// struct iovec
struct user_piece {
    u64 base;
    u64 size;
};

// Which of a call's messages; what is read of it lies in memory that its process may have changed since.
struct message {
    u32 call;
    s32 fd;
    u64 name;
    u32 name_size;
    // Of the call; the kernel gives those of a received message elsewhere.
    u32 flags;
    // Where an array of pieces is; 0 where there is only `single`.
    u64 pieces;
    u32 piece_count;
    struct user_piece single;
    // Bytes that there were, or was room for.
    u64 size;
    // Bytes sent or received; negative where the call failed.
    s64 transferred;
    // The array of pieces is one of the kernel's.
    u32 pieces_are_copies;
};

// Where a walk to the root is.
struct path_place {
    struct dentry *dentry;
    struct mount *mount;
    // The root of that mount.
    struct dentry *mount_root;
};

struct record {
    u32 users;
    u32 type;
    // Bytes in use.
    u32 size;
    // Its key in `scratch`.
    u32 slot;
    // What the caller passed is read from copies in the kernel, not from the process's memory.
    u32 of_copies;
    // Of a ring's operation on a file: the file; else 0.
    u64 ring_file;
    // What the last walk found, and where it is meanwhile.
    struct path_text walked;
    struct path_place place;
    // The call that is recorded, for functions that the verifier looks at by themselves: they can be given no pointers.
    struct record_call call;
    struct message message;
    struct text message_data;
    u8 bytes[RECORD_SIZE_MAX + PIECE_SIZE_MAX];
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, RECORDS_PER_CPU);
    __type(key, u32);
    __type(value, struct record);
} scratch SEC(".maps");

// The addon sets its size before it is made.
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, WAKEUP_BYTES);
} ring SEC(".maps");

// Programs can be preempted by others (from 6.19 on in tracepoints). A buffer is whose addition finds nobody else's;
// two that meet both leave it. Adding is all that 5.10 has of atomic instructions: it refuses a program in which
// compare-and-exchange as much as stands, run or not.
static __always_inline bool record_take(struct record *record) {
    __sync_fetch_and_add(&record->users, 1);
    if (*(volatile u32 *)&record->users == 1) return true;
    __sync_fetch_and_add(&record->users, -1);
    return false;
}

static __always_inline void record_give_back(struct record *record) {
    __sync_fetch_and_add(&record->users, -1);
}

// A free buffer; NULL where all are taken.
static __always_inline struct record *record_free(void) {
    for (u32 slot = 0; slot < RECORDS_PER_CPU; slot++) {
        u32 key = slot;
        struct record *record = bpf_map_lookup_elem(&scratch, &key);
        if (record && record_take(record)) {
            record->slot = slot;
            record->of_copies = 0;
            record->ring_file = 0;
            return record;
        }
    }
    return NULL;
}

// A free buffer with room for a struct of `size` bytes; NULL, counted, where all are taken.
static __always_inline struct record *record_begin(u32 type, u32 size) {
    struct record *record = record_free();
    if (record) {
        record->type = type;
        record->size = size;
    } else {
        event_dropped(type, DROP_REASON_SCRATCH_BUSY);
    }
    return record;
}

// Declares the struct of an event type, `struct NAME_event`, so that its layout is in the object's BTF, and how a
// program gets an empty one: NAME_begin(&record).
#define EVENT_RECORD(name, id)                                                                                         \
    const struct name##_event *name##_layout = NULL;                                                                   \
    static __always_inline struct name##_event *name##_begin(struct record **record) {                                 \
        *record = record_begin(id, sizeof(struct name##_event));                                                       \
        if (!*record) return NULL;                                                                                     \
        struct name##_event *event = (void *)(*record)->bytes;                                                         \
        __builtin_memset(event, 0, sizeof(*event));                                                                    \
        return event;                                                                                                  \
    }

// Where the next piece of the tail goes; NULL when the record is full. The barriers keep the compiler from computing
// the address before the check, which the verifier would not understand.
static __always_inline u8 *record_room(struct record *record) {
    u64 at = record->size;
    barrier_var(at);
    if (at > RECORD_SIZE_MAX) return NULL;
    barrier_var(at);
    return record->bytes + at;
}

// Makes what was put at the end of the tail part of the record.
static __always_inline void record_text(struct record *record, struct text *text, u32 length) {
    text->offset = record->size;
    text->length = length;
    record->size += length;
}

// Appends a NUL-terminated string of the kernel, at most `limit` bytes with its NUL, a constant.
static __always_inline void record_kernel_string(struct record *record, struct text *text, const void *from,
                                                 u32 limit) {
    u8 *room = record_room(record);
    if (!room) return;
    long length = bpf_probe_read_kernel_str(room, limit, from);
    if (length > 1) record_text(record, text, length - 1);
}

// Reads what the caller passed; 0, or an error.
static __always_inline long record_read_passed(const struct record *record, void *to, u32 size, const void *from) {
    return record->of_copies ? bpf_probe_read_kernel(to, size, from) : bpf_probe_read_user(to, size, from);
}

// Reads a string that the caller passed, at most `limit` bytes with its NUL; its length with the NUL, or an error.
static __always_inline long record_read_string(const struct record *record, u8 *room, u32 limit, const void *from) {
    if (record->of_copies) return bpf_probe_read_kernel_str(room, limit, from);
    const long length = bpf_probe_read_user_str(room, limit, from);
    // Before 6.16 the NUL of an empty one is not counted ("maccess: fix strncpy_from_user_nofault() empty string
    // handling").
    return length == 0 ? 1 : length;
}

// The same of the process's memory; false where it cannot be read.
static __always_inline bool record_user_string(struct record *record, struct text *text, const void *from, u32 limit) {
    u8 *room = record_room(record);
    if (!room) return false;
    const long length = record_read_string(record, room, limit, from);
    if (length > 1) record_text(record, text, length - 1);
    return length > 0;
}

// Appends bytes of the process's memory: `size` of them, at most `limit`, a constant.
static __always_inline void record_user_bytes(struct record *record, struct text *text, const void *from, u32 size,
                                              u32 limit) {
    u8 *room = record_room(record);
    u32 length = size < limit ? size : limit;
    barrier_var(length);
    if (!room || length == 0 || length > limit || bpf_probe_read_user(room, length, from)) return;
    record_text(record, text, length);
}

// Gives a record's buffer back unused; the caller counts why.
static __always_inline void record_cancel(struct record *record) {
    record_give_back(record);
}

static __always_inline u64 record_wakeup(u32 size) {
    struct settings *now = settings_read();
    if (now && now->reader_sleeps) return BPF_RB_FORCE_WAKEUP;
    u64 position = bpf_ringbuf_query(&ring, BPF_RB_PROD_POS);
    return position % WAKEUP_BYTES + size >= WAKEUP_BYTES ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

// Gives a buffer back whose record nobody wants.
static __always_inline int record_discard(struct record *record) {
    u32 type = record->type;
    record_cancel(record);
    return event_filtered(type);
}

// Puts the record into the ring, counts it, and gives its buffer back. False where it had to be dropped.
static __always_inline bool record_put(struct record *record) {
    u32 type = record->type;
    u64 size = record->size;
    bool is_put = false;
    barrier_var(size);
    if (size > sizeof(record->bytes)) {
        event_dropped(type, DROP_REASON_TOO_LARGE);
    } else if (bpf_ringbuf_output(&ring, record->bytes, size, record_wakeup(size))) {
        event_dropped(type, DROP_REASON_RING_FULL);
    } else {
        LEDGER_COUNT(type, submitted);
        is_put = true;
    }
    record_give_back(record);
    return is_put;
}

// The same; returns 0, as programs do.
static __always_inline int record_submit(struct record *record) {
    record_put(record);
    return 0;
}
