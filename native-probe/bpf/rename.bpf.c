// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file or directory that is renamed, and each try: rename, renameat, renameat2.
#include "resolved.h"
#include "ring.h"

struct rename_event {
    struct event_header header;
    struct two_names names;
    u32 flags;
};

EVENT_RECORD(rename, EVENT_RENAME)

SYSCALL_PROGRAM(rename, EVENT_RENAME, frame, result) {
    if (!event_seen_of_others(EVENT_RENAME)) return 0;
    struct record *record;
    struct rename_event *event = rename_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    const void *old_path = (const void *)SYSCALL_ARGUMENT_0(frame), *new_path = (const void *)SYSCALL_ARGUMENT_1(frame);
    struct two_names *names = &event->names;
    names->old_directory_fd = names->new_directory_fd = AT_FDCWD;
    if (call_id != CALL_RENAME) {
        names->old_directory_fd = SYSCALL_ARGUMENT_0(frame);
        old_path = (const void *)SYSCALL_ARGUMENT_1(frame);
        names->new_directory_fd = SYSCALL_ARGUMENT_2(frame);
        new_path = (const void *)SYSCALL_ARGUMENT_3(frame);
    }
    if (call_id == CALL_RENAMEAT2) event->flags = SYSCALL_ARGUMENT_4(frame);
    two_names_read(record, names, old_path, new_path);
    resolved_tell(record, frame, &names->old_absolute, &names->new_absolute);
    return record_submit(record);
}

SEC("fentry/security_path_rename")
int BPF_PROG(resolved_rename__security_path_rename, const struct path *old_directory, struct dentry *old_dentry,
             const struct path *new_directory, struct dentry *new_dentry) {
    return resolved_note(EVENT_RENAME, (struct resolved_place){old_directory, old_dentry},
                         (struct resolved_place){new_directory, new_dentry});
}

RING_PROGRAM(rename)
