// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each name of a file that is removed, and each directory, and each try: unlink, unlinkat, rmdir.
#include "resolved.h"
#include "ring.h"

struct unlink_event {
    struct event_header header;
    struct named named;
    s32 directory_fd;
    u32 flags;
};

EVENT_RECORD(unlink, EVENT_UNLINK)

SYSCALL_PROGRAM(unlink, EVENT_UNLINK, frame, result) {
    if (!event_seen_of_others(EVENT_UNLINK)) return 0;
    struct record *record;
    struct unlink_event *event = unlink_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call call = named_call_read(frame, call_id == CALL_UNLINKAT ? BY_DIRECTORY : BY_PATH);
    event->directory_fd = call.directory_fd;
    named_read(record, &event->named, call.directory_fd, call.path, false);
    resolved_tell(record, frame, &event->named.absolute, NULL);
    if (call_id == CALL_UNLINKAT) event->flags = call.next[0];
    return record_submit(record);
}

RESOLVED_NAME(unlink, EVENT_UNLINK, security_path_unlink)
RESOLVED_NAME(unlink, EVENT_UNLINK, security_path_rmdir)

RING_PROGRAM(unlink)
