// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file that is opened, and each try: open, openat, openat2, creat, open_by_handle_at.
#include "image.h"
#include "named.h"

enum { O_ACCMODE = 3, O_CREAT = 0100, O_TRUNC = 01000, CREAT_FLAGS = 01 | O_CREAT | O_TRUNC };
enum { FMODE_CREATED = 0x100000 };

struct open_event {
    struct event_header header;
    struct path_text path;
    struct named named;
    u64 flags;
    u32 mode;
    u32 file_mode;
    s32 directory_fd;
    u64 resolve;
    u32 device;
    u64 inode;
    u8 created;
    u8 type;
    u8 path_truncated;
    u8 upper_layer;
};

EVENT_RECORD(open, EVENT_OPEN)

// The arguments, wherever the four calls have them.
struct open_call {
    u32 call;
    s32 directory_fd;
    const void *path;
    struct open_how how;
};

static __always_inline struct open_call open_call_read(const struct call_frame *frame) {
    u64 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame);
    u64 third = SYSCALL_ARGUMENT_2(frame), fourth = SYSCALL_ARGUMENT_3(frame);
    struct open_call call = {.call = syscall_call(frame), .directory_fd = AT_FDCWD, .path = (const void *)first};

    if (call.call == CALL_OPEN) {
        call.how = (struct open_how){second, third, 0};
    } else if (call.call == CALL_CREAT) {
        call.how = (struct open_how){CREAT_FLAGS, second, 0};
    } else if (call.call == CALL_OPEN_BY_HANDLE_AT) {
        // The descriptor is one of the mount; a handle is no path.
        call.directory_fd = first;
        call.path = NULL;
        call.how = (struct open_how){third, 0, 0};
    } else {
        call.directory_fd = first;
        call.path = (const void *)second;
        call.how = (struct open_how){third, fourth, 0};
        if (call.call == CALL_OPENAT2) bpf_probe_read_user(&call.how, sizeof(call.how), (const void *)third);
    }
    return call;
}

// Whether a holder of interest could want it. What a filter cannot tell for sure passes.
static __always_inline bool open_is_wanted(u64 flags, long result) {
    struct settings *now = settings_read();
    u32 interest = now ? now->open_interest : 0;
    if (result < 0) return interest & OPEN_FAILURES;
    return interest & (flags & (O_ACCMODE | O_CREAT | O_TRUNC) ? OPEN_WRITES : OPEN_READS);
}

static __always_inline void open_file_fill(struct record *record, struct open_event *event, struct file *file) {
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    path_read(record, &event->path, &file->f_path);
    event->path_truncated = event->path.truncated;
    u16 mode = BPF_CORE_READ(inode, i_mode);
    event->file_mode = mode;
    event->device = device_number(BPF_CORE_READ(inode, i_sb, s_dev));
    event->inode = BPF_CORE_READ(inode, i_ino);
    event->created = (BPF_CORE_READ(file, f_mode) & FMODE_CREATED) != 0;
    event->type = inode_type(inode, mode);
    event->upper_layer = image_is_on_upper_layer(inode);
}

SYSCALL_PROGRAM(open, EVENT_OPEN, frame, result) {
    if (!event_seen(EVENT_OPEN)) return 0;
    struct open_call call = open_call_read(frame);
    if (!open_is_wanted(call.how.flags, result) || task_is_own()) return event_filtered(EVENT_OPEN);

    struct record *record;
    struct open_event *event = open_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->flags = call.how.flags;
    event->mode = call.how.mode;
    event->directory_fd = call.directory_fd;
    event->resolve = call.how.resolve;
    struct file *file = result >= 0 ? descriptor_file(result) : NULL;
    if (file) {
        open_file_fill(record, event, file);
        record_user_string(record, &event->named.requested, call.path, REQUESTED_SIZE_MAX);
    } else {
        named_read(record, &event->named, call.directory_fd, call.path, false);
    }
    return record_submit(record);
}
