// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each option of a socket that is set, and each try: filters on packet sockets, transparent proxies.
#include "descriptor.h"
#include "syscall.h"

enum { OPTION_VALUE_SIZE_MAX = 64 };

struct setsockopt_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    u32 level;
    u32 option_name;
    struct text value;
    u32 value_size;
};

EVENT_RECORD(setsockopt, EVENT_SETSOCKOPT)

SYSCALL_PROGRAM(setsockopt, EVENT_SETSOCKOPT, frame, result) {
    if (!event_seen_of_others(EVENT_SETSOCKOPT)) return 0;

    struct record *record;
    struct setsockopt_event *event = setsockopt_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->fd = SYSCALL_ARGUMENT_0(frame);
    event->level = SYSCALL_ARGUMENT_1(frame);
    event->option_name = SYSCALL_ARGUMENT_2(frame);
    event->value_size = SYSCALL_ARGUMENT_4(frame);
    const void *value = (const void *)SYSCALL_ARGUMENT_3(frame);
    record_user_bytes(record, &event->value, value, event->value_size, OPTION_VALUE_SIZE_MAX);
    descriptor_fill(record, &event->descriptor, event->fd);
    return record_submit(record);
}
