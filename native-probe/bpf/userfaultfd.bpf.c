// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each userfaultfd, and each try.
#include "syscall.h"

struct userfaultfd_event {
    struct event_header header;
    u32 flags;
};

EVENT_RECORD(userfaultfd, EVENT_USERFAULTFD)

SYSCALL_PROGRAM(userfaultfd, EVENT_USERFAULTFD, frame, result) {
    if (!event_seen(EVENT_USERFAULTFD)) return 0;
    struct record *record;
    struct userfaultfd_event *event = userfaultfd_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->flags = SYSCALL_ARGUMENT_0(frame);
    return record_submit(record);
}
