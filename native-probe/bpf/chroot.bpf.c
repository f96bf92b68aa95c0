// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of what a process takes for the root directory, and each try.
#include "path.h"
#include "syscall.h"

enum { ROOT_SIZE_MAX = 4096 };

struct chroot_event {
    struct event_header header;
    struct path_text path;
    u8 path_truncated;
    struct text requested;
    struct text requested_old;
};

EVENT_RECORD(chroot, EVENT_CHROOT)

SYSCALL_PROGRAM(chroot, EVENT_CHROOT, frame, result) {
    if (!event_seen(EVENT_CHROOT)) return 0;
    struct record *record;
    struct chroot_event *event = chroot_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    record_user_string(record, &event->requested, (const void *)SYSCALL_ARGUMENT_0(frame), ROOT_SIZE_MAX);
    if (event->header.call == CALL_PIVOT_ROOT)
        record_user_string(record, &event->requested_old, (const void *)SYSCALL_ARGUMENT_1(frame), ROOT_SIZE_MAX);
    struct fs_struct *fs = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), fs);
    if (result >= 0 && fs) {
        path_read(record, &event->path, &fs->root);
        event->path_truncated = event->path.truncated;
    }
    return record_submit(record);
}
