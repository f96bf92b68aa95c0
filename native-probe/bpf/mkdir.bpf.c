// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each directory that is made, and each try: mkdir, mkdirat.
#include "resolved.h"
#include "ring.h"

struct mkdir_event {
    struct event_header header;
    struct named named;
    s32 directory_fd;
    u32 mode;
};

EVENT_RECORD(mkdir, EVENT_MKDIR)

SYSCALL_PROGRAM(mkdir, EVENT_MKDIR, frame, result) {
    if (!event_seen_of_others(EVENT_MKDIR)) return 0;
    struct record *record;
    struct mkdir_event *event = mkdir_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call call = named_call_read(frame, call_id == CALL_MKDIRAT ? BY_DIRECTORY : BY_PATH);
    event->directory_fd = call.directory_fd;
    named_read(record, &event->named, call.directory_fd, call.path, false);
    resolved_tell(record, frame, &event->named.absolute, NULL);
    event->mode = (u16)call.next[0];
    return record_submit(record);
}

RESOLVED_NAME(mkdir, EVENT_MKDIR, security_path_mkdir)

RING_PROGRAM(mkdir)
