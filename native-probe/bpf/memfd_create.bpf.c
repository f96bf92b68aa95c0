// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file that is made in memory only, and each try.
#include "descriptor.h"
#include "syscall.h"

// The kernel takes names of 249 bytes at most (mm/memfd.c); one more is refused.
enum { MEMFD_NAME_SIZE_MAX = 251 };

struct memfd_create_event {
    struct event_header header;
    s32 fd;
    struct text name;
    u32 flags;
    u64 inode;
};

EVENT_RECORD(memfd_create, EVENT_MEMFD_CREATE)

SYSCALL_PROGRAM(memfd_create, EVENT_MEMFD_CREATE, frame, result) {
    if (!event_seen(EVENT_MEMFD_CREATE)) return 0;
    struct record *record;
    struct memfd_create_event *event = memfd_create_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->fd = result >= 0 ? result : -1;
    event->flags = SYSCALL_ARGUMENT_1(frame);
    record_user_string(record, &event->name, (const void *)SYSCALL_ARGUMENT_0(frame), MEMFD_NAME_SIZE_MAX);
    struct file *file = result >= 0 ? descriptor_file(result) : NULL;
    if (file) event->inode = BPF_CORE_READ(file, f_inode, i_ino);
    return record_submit(record);
}
