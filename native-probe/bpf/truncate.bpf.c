// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of a length, and each try: truncate, ftruncate.
#include "resolved.h"
#include "ring.h"

struct truncate_event {
    struct event_header header;
    struct target target;
    s64 size_bytes;
};

EVENT_RECORD(truncate, EVENT_TRUNCATE)

SYSCALL_PROGRAM(truncate, EVENT_TRUNCATE, frame, result) {
    if (!event_seen_of_others(EVENT_TRUNCATE)) return 0;
    struct record *record;
    struct truncate_event *event = truncate_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call call = named_call_read(frame, call_id == CALL_FTRUNCATE ? BY_DESCRIPTOR : BY_PATH);
    target_read(record, &event->target, &call, result >= 0);
    resolved_tell(record, frame, &event->target.named.absolute, NULL);
    event->size_bytes = call.next[0];
    return record_submit(record);
}

RESOLVED_PATH(truncate, EVENT_TRUNCATE, security_path_truncate)

RING_PROGRAM(truncate)
