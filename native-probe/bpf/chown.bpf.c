// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of an owner, and each try: chown, lchown, fchown, fchownat.
#include "resolved.h"

struct chown_event {
    struct event_header header;
    struct target target;
    u32 owner_uid;
    u32 owner_gid;
    u32 flags;
};

EVENT_RECORD(chown, EVENT_CHOWN)

static __always_inline enum named_by chown_names(u32 call_id) {
    if (call_id == CALL_FCHOWN) return BY_DESCRIPTOR;
    return call_id == CALL_FCHOWNAT ? BY_DIRECTORY : BY_PATH;
}

SYSCALL_PROGRAM(chown, EVENT_CHOWN, frame, result) {
    if (!event_seen_of_others(EVENT_CHOWN)) return 0;
    struct record *record;
    struct chown_event *event = chown_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call call = named_call_read(frame, chown_names(call_id));
    target_read(record, &event->target, &call, result >= 0);
    resolved_tell(record, frame, &event->target.named.absolute, NULL);
    event->owner_uid = call.next[0];
    event->owner_gid = call.next[1];
    if (call_id == CALL_FCHOWNAT) event->flags = call.next[2];
    return record_submit(record);
}

RESOLVED_PATH(chown, EVENT_CHOWN, security_path_chown)
