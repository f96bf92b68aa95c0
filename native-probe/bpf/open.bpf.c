// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file that is opened, and each try: open, openat, openat2, creat.
#include "descriptor.h"
#include "syscall.h"

enum { O_ACCMODE = 3, O_CREAT = 0100, O_TRUNC = 01000, CREAT_FLAGS = 01 | O_CREAT | O_TRUNC };
enum { AT_FDCWD = -100, FMODE_CREATED = 0x100000, REQUESTED_SIZE_MAX = 4096 };

struct open_event {
    struct event_header header;
    struct path_text path;
    struct text requested;
    u64 flags;
    u32 mode;
    u32 file_mode;
    s32 directory_fd;
    u32 device;
    u64 inode;
    u8 created;
    u8 type;
    u8 path_truncated;
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
        call.how = (struct open_how){second, third};
    } else if (call.call == CALL_CREAT) {
        call.how = (struct open_how){CREAT_FLAGS, second};
    } else {
        call.directory_fd = first;
        call.path = (const void *)second;
        call.how = (struct open_how){third, fourth};
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
    record_user_string(record, &event->requested, call.path, REQUESTED_SIZE_MAX);
    struct file *file = result >= 0 ? descriptor_file(result) : NULL;
    if (file) open_file_fill(record, event, file);
    return record_submit(record);
}
