// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file system that is unmounted, and each try: umount2.
#include "named.h"

struct umount_event {
    struct event_header header;
    struct named named;
    u32 flags;
};

EVENT_RECORD(umount, EVENT_UMOUNT)

SYSCALL_PROGRAM(umount, EVENT_UMOUNT, frame, result) {
    if (!event_seen_of_others(EVENT_UMOUNT)) return 0;
    struct record *record;
    struct umount_event *event = umount_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    struct named_call call = named_call_read(frame, BY_PATH);
    named_read(record, &event->named, AT_FDCWD, call.path, false);
    event->flags = call.next[0];
    return record_submit(record);
}
