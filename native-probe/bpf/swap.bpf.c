// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each swap area that is switched on or off, and each try.
#include "path.h"
#include "syscall.h"

struct swap_event {
    struct event_header header;
    struct text requested;
    u32 flags;
};

EVENT_RECORD(swap, EVENT_SWAP)

SYSCALL_PROGRAM(swap, EVENT_SWAP, frame, result) {
    if (!event_seen(EVENT_SWAP)) return 0;
    struct record *record;
    struct swap_event *event = swap_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    record_user_string(record, &event->requested, (const void *)SYSCALL_ARGUMENT_0(frame), PATH_SIZE_MAX);
    if (event->header.call == CALL_SWAPON) event->flags = SYSCALL_ARGUMENT_1(frame);
    return record_submit(record);
}
