// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of a mode, and each try: chmod, fchmod, fchmodat, fchmodat2.
#include "resolved.h"

struct chmod_event {
    struct event_header header;
    struct target target;
    u32 mode;
    u32 flags;
};

EVENT_RECORD(chmod, EVENT_CHMOD)

static __always_inline enum named_by chmod_names(u32 call_id) {
    if (call_id == CALL_FCHMOD) return BY_DESCRIPTOR;
    return call_id == CALL_FCHMODAT || call_id == CALL_FCHMODAT2 ? BY_DIRECTORY : BY_PATH;
}

SYSCALL_PROGRAM(chmod, EVENT_CHMOD, frame, result) {
    if (!event_seen_of_others(EVENT_CHMOD)) return 0;
    struct record *record;
    struct chmod_event *event = chmod_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call call = named_call_read(frame, chmod_names(call_id));
    target_read(record, &event->target, &call, result >= 0);
    resolved_tell(record, frame, &event->target.named.absolute, NULL);
    event->mode = (u16)call.next[0];
    if (call_id == CALL_FCHMODAT2) event->flags = call.next[1];
    return record_submit(record);
}

RESOLVED_PATH(chmod, EVENT_CHMOD, security_path_chmod)
