// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each symbolic link that is made, and each try: symlink, symlinkat.
#include "resolved.h"
#include "ring.h"

struct symlink_event {
    struct event_header header;
    struct text target;
    struct named named;
    s32 directory_fd;
};

EVENT_RECORD(symlink, EVENT_SYMLINK)

SYSCALL_PROGRAM(symlink, EVENT_SYMLINK, frame, result) {
    if (!event_seen_of_others(EVENT_SYMLINK)) return 0;
    struct record *record;
    struct symlink_event *event = symlink_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    const void *path = (const void *)SYSCALL_ARGUMENT_1(frame);
    event->directory_fd = AT_FDCWD;
    if (call_id == CALL_SYMLINKAT) {
        event->directory_fd = SYSCALL_ARGUMENT_1(frame);
        path = (const void *)SYSCALL_ARGUMENT_2(frame);
    }
    record_user_string(record, &event->target, (const void *)SYSCALL_ARGUMENT_0(frame), REQUESTED_SIZE_MAX);
    named_read(record, &event->named, event->directory_fd, path, false);
    resolved_tell(record, frame, &event->named.absolute, NULL);
    return record_submit(record);
}

RESOLVED_NAME(symlink, EVENT_SYMLINK, security_path_symlink)

RING_PROGRAM(symlink)
