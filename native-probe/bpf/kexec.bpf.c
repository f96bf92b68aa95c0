// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each kernel that is loaded to be started next, and each try: kexec_load, kexec_file_load.
#include "descriptor.h"
#include "syscall.h"

// COMMAND_LINE_SIZE of x86 and arm64.
enum { KERNEL_COMMAND_LINE_SIZE_MAX = 2048 };

struct kexec_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    s32 initrd_fd;
    struct text command_line;
    u64 segments;
    u64 flags;
};

EVENT_RECORD(kexec, EVENT_KEXEC)

SYSCALL_PROGRAM(kexec, EVENT_KEXEC, frame, result) {
    if (!event_seen(EVENT_KEXEC)) return 0;
    struct record *record;
    struct kexec_event *event = kexec_begin(&record);
    if (!event) return 0;

    header_fill_call(record, &event->header, frame, result);
    if (event->header.call == CALL_KEXEC_LOAD) {
        event->fd = event->initrd_fd = -1;
        event->segments = SYSCALL_ARGUMENT_1(frame);
        event->flags = SYSCALL_ARGUMENT_3(frame);
        return record_submit(record);
    }
    event->fd = SYSCALL_ARGUMENT_0(frame);
    event->initrd_fd = SYSCALL_ARGUMENT_1(frame);
    event->flags = SYSCALL_ARGUMENT_4(frame);
    struct file *file = descriptor_file(event->fd);
    if (file) descriptor_read_with_path(record, &event->descriptor, file);
    const void *command_line = (const void *)SYSCALL_ARGUMENT_3(frame);
    record_user_string(record, &event->command_line, command_line, KERNEL_COMMAND_LINE_SIZE_MAX);
    return record_submit(record);
}
