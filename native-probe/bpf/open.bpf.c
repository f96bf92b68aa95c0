// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file that is opened, and each try: open, openat, openat2, creat, open_by_handle_at.
#include "governor.h"
#include "named.h"
#include "ring.h"

enum { O_WRONLY = 1, O_CREAT = 0100, O_TRUNC = 01000, O_PATH = 010000000 };
enum { CREAT_FLAGS = O_WRONLY | O_CREAT | O_TRUNC, FMODE_CREATED = 0x100000 };

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

// The class of the filters: what the open is for, as Falco's evt.is_open_read and evt.is_open_write have it.
static __always_inline u32 open_class(u64 flags, long result) {
    u32 class = result < 0 ? FILTER_CLASS_FAILED : 0;
    if (flags & O_PATH) return class;
    if ((flags & O_ACCMODE) != O_WRONLY) class |= FILTER_OPEN_READS;
    if (flags & O_ACCMODE) class |= FILTER_OPEN_WRITES;
    return class;
}

static __always_inline bool open_is_wanted(struct open_call *call, long result, struct file *file) {
    struct filter filter;
    enum filter_choice choice = filter_begin(&filter, EVENT_OPEN, open_class(call->how.flags, result));
    return choice == FILTER_EVERYTHING || (choice == FILTER_BY_KEYS && filter_passes_file(&filter, file));
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
    struct file *file = result_is_descriptor(frame, result) ? descriptor_file(result) : NULL;
    // The filter first: most opens end there, and whose they are need not be looked up.
    if (!open_is_wanted(&call, result, file) || task_is_own()) return event_filtered(EVENT_OPEN);
    const bool writes = open_class(call.how.flags, result) & FILTER_OPEN_WRITES;
    if (governor_gives_up_file(EVENT_OPEN, writes, file)) return event_governed(EVENT_OPEN);

    struct record *record;
    struct open_event *event = open_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->flags = call.how.flags;
    event->mode = call.how.mode;
    event->directory_fd = call.directory_fd;
    event->resolve = call.how.resolve;
    if (file) {
        open_file_fill(record, event, file);
        record_user_string(record, &event->named.requested, call.path, REQUESTED_SIZE_MAX);
    } else {
        named_read(record, &event->named, call.directory_fd, call.path, false);
    }
    return record_submit(record);
}

RING_PROGRAM(open)
