// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of the host's or the domain's name, and each try.
#include "syscall.h"

// __NEW_UTS_LEN
enum { HOSTNAME_SIZE_MAX = 64 };

struct hostname_event {
    struct event_header header;
    struct text name;
};

EVENT_RECORD(hostname, EVENT_HOSTNAME)

SYSCALL_PROGRAM(hostname, EVENT_HOSTNAME, frame, result) {
    if (!event_seen(EVENT_HOSTNAME)) return 0;
    struct record *record;
    struct hostname_event *event = hostname_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    // It has a length and no NUL.
    u8 *room = record_room(record);
    u64 length = SYSCALL_ARGUMENT_1(frame);
    if (length > HOSTNAME_SIZE_MAX) length = HOSTNAME_SIZE_MAX;
    barrier_var(length);
    if (room && length <= HOSTNAME_SIZE_MAX &&
        bpf_probe_read_user(room, length, (const void *)SYSCALL_ARGUMENT_0(frame)) == 0)
        record_text(record, &event->name, length);
    return record_submit(record);
}
