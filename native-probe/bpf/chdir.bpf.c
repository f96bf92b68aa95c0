// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of a process's working directory, and each try.
#include "path.h"
#include "syscall.h"

enum { DIRECTORY_SIZE_MAX = 4096 };

struct chdir_event {
    struct event_header header;
    struct path_text path;
    u8 path_truncated;
    struct text requested;
    s32 fd;
};

EVENT_RECORD(chdir, EVENT_CHDIR)

SYSCALL_PROGRAM(chdir, EVENT_CHDIR, frame, result) {
    if (!event_seen(EVENT_CHDIR)) return 0;
    struct record *record;
    struct chdir_event *event = chdir_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    if (event->header.call == CALL_FCHDIR)
        event->fd = SYSCALL_ARGUMENT_0(frame);
    else
        record_user_string(record, &event->requested, (const void *)SYSCALL_ARGUMENT_0(frame), DIRECTORY_SIZE_MAX);
    struct fs_struct *fs = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), fs);
    if (result >= 0 && fs) {
        path_read(record, &event->path, &fs->pwd);
        event->path_truncated = event->path.truncated;
    }
    return record_submit(record);
}
