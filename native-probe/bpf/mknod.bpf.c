// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each device, pipe, socket or file that mknod makes, and each try: mknod, mknodat.
#include "resolved.h"

struct mknod_event {
    struct event_header header;
    struct named named;
    s32 directory_fd;
    u32 mode;
    u32 device;
};

EVENT_RECORD(mknod, EVENT_MKNOD)

SYSCALL_PROGRAM(mknod, EVENT_MKNOD, frame, result) {
    if (!event_seen_of_others(EVENT_MKNOD)) return 0;
    struct record *record;
    struct mknod_event *event = mknod_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call call = named_call_read(frame, call_id == CALL_MKNODAT ? BY_DIRECTORY : BY_PATH);
    event->directory_fd = call.directory_fd;
    named_read(record, &event->named, call.directory_fd, call.path, false);
    resolved_tell(record, frame, &event->named.absolute, NULL);
    event->mode = (u16)call.next[0];
    event->device = call.next[1];
    return record_submit(record);
}

RESOLVED_NAME(mknod, EVENT_MKNOD, security_path_mknod)
