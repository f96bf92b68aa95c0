// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each reboot that returns: what fails, and what only says how the machine is to behave.
#include "syscall.h"

enum { REBOOT_COMMAND_RESTART2 = 0xa1b2c3d4, REBOOT_ARGUMENT_SIZE_MAX = 256 };

struct reboot_event {
    struct event_header header;
    u32 magic;
    u32 magic2;
    u32 command;
    struct text argument;
};

EVENT_RECORD(reboot, EVENT_REBOOT)

SYSCALL_PROGRAM(reboot, EVENT_REBOOT, frame, result) {
    if (!event_seen(EVENT_REBOOT)) return 0;
    struct record *record;
    struct reboot_event *event = reboot_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->magic = SYSCALL_ARGUMENT_0(frame);
    event->magic2 = SYSCALL_ARGUMENT_1(frame);
    event->command = SYSCALL_ARGUMENT_2(frame);
    if (event->command != REBOOT_COMMAND_RESTART2) return record_submit(record);
    record_user_string(record, &event->argument, (const void *)SYSCALL_ARGUMENT_3(frame), REBOOT_ARGUMENT_SIZE_MAX);
    return record_submit(record);
}
