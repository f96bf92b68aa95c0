// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each further name that a file is given, and each try: link, linkat.
#include "resolved.h"
#include "ring.h"

enum { AT_EMPTY_PATH = 0x1000 };

struct link_event {
    struct event_header header;
    struct two_names names;
    u32 flags;
    s32 fd;
    struct descriptor descriptor;
};

EVENT_RECORD(link, EVENT_LINK)

SYSCALL_PROGRAM(link, EVENT_LINK, frame, result) {
    if (!event_seen_of_others(EVENT_LINK)) return 0;
    struct record *record;
    struct link_event *event = link_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    struct named_call from = named_call_read(frame, call_id == CALL_LINKAT ? BY_DIRECTORY : BY_PATH);
    const void *new_path = (const void *)from.next[0];
    struct two_names *names = &event->names;
    names->old_directory_fd = from.directory_fd;
    names->new_directory_fd = AT_FDCWD;
    if (call_id == CALL_LINKAT) {
        names->new_directory_fd = from.next[0];
        new_path = (const void *)from.next[1];
        event->flags = from.next[2];
    }
    two_names_read(record, names, from.path, new_path);
    event->fd = -1;
    if (event->flags & AT_EMPTY_PATH && !names->old_requested.length) {
        event->fd = names->old_directory_fd;
        struct file *file = descriptor_file(event->fd);
        if (file) descriptor_read_with_path(record, &event->descriptor, file);
        names->old_absolute.directory = event->descriptor.path;
    }
    resolved_tell(record, frame, &names->old_absolute, &names->new_absolute);
    return record_submit(record);
}

// A link does not leave the file system, nor the mount: both names are in that of the new one.
SEC("fentry/security_path_link")
int BPF_PROG(resolved_link__security_path_link, struct dentry *old_dentry, const struct path *new_directory,
             struct dentry *new_dentry) {
    return resolved_note(EVENT_LINK, (struct resolved_place){new_directory, old_dentry},
                         (struct resolved_place){new_directory, new_dentry});
}

RING_PROGRAM(link)
