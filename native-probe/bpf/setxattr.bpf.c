// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each extended attribute that is set or removed, and each try: setxattr, removexattr in all forms.
#include "named.h"
#include "ring.h"

enum {
    // XATTR_NAME_MAX and a NUL.
    XATTR_NAME_SIZE_MAX = 256,
    // Enough for file capabilities and for SELinux's labels; lists of rights may be longer.
    VALUE_SIZE_MAX = 64,
};

struct setxattr_event {
    struct event_header header;
    struct target target;
    struct text name;
    struct text value;
    u64 size_bytes;
    u32 flags;
};

EVENT_RECORD(setxattr, EVENT_SETXATTR)

static __always_inline enum named_by setxattr_names(u32 call_id) {
    if (call_id == CALL_FSETXATTR || call_id == CALL_FREMOVEXATTR) return BY_DESCRIPTOR;
    return call_id == CALL_SETXATTRAT || call_id == CALL_REMOVEXATTRAT ? BY_DIRECTORY : BY_PATH;
}

static __always_inline bool setxattr_removes(u32 call_id) {
    return call_id == CALL_REMOVEXATTR || call_id == CALL_LREMOVEXATTR || call_id == CALL_FREMOVEXATTR ||
           call_id == CALL_REMOVEXATTRAT;
}

static __always_inline void setxattr_value_read(struct record *record, struct setxattr_event *event,
                                                struct xattr_args *args) {
    u64 size = args->size < VALUE_SIZE_MAX ? args->size : VALUE_SIZE_MAX;
    u8 *room = record_room(record);
    event->size_bytes = args->size;
    event->flags = args->flags;
    barrier_var(size);
    if (!room || size == 0 || size > VALUE_SIZE_MAX) return;
    if (!record_read_passed(record, room, size, (const void *)args->value)) record_text(record, &event->value, size);
}

SYSCALL_PROGRAM(setxattr, EVENT_SETXATTR, frame, result) {
    if (!event_seen_of_others(EVENT_SETXATTR)) return 0;
    struct record *record;
    struct setxattr_event *event = setxattr_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call call = named_call_read(frame, setxattr_names(call_id));
    target_read(record, &event->target, &call, result >= 0);
    const void *name = (const void *)call.next[0];
    // The last of a call's arguments is one more than named_call has.
    struct xattr_args args = {call.next[1], call.next[2], SYSCALL_ARGUMENT_4(frame)};
    if (call_id == CALL_SETXATTRAT || call_id == CALL_REMOVEXATTRAT) name = (const void *)call.next[1];
    if (call_id == CALL_SETXATTRAT) bpf_probe_read_user(&args, sizeof(args), (const void *)call.next[2]);
    record_user_string(record, &event->name, name, XATTR_NAME_SIZE_MAX);
    if (!setxattr_removes(call_id)) setxattr_value_read(record, event, &args);
    return record_submit(record);
}

RING_PROGRAM(setxattr)
