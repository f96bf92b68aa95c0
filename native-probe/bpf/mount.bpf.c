// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each mount that is made, moved or changed, and each try: mount, move_mount, mount_setattr, fsmount,
// open_tree.
#include "named.h"

enum {
    MOVE_MOUNT_F_EMPTY_PATH = 4,
    MOVE_MOUNT_T_EMPTY_PATH = 0x40,
    OPEN_TREE_CLONE = 1,
    // Names of kinds of file systems are short; "fuse.SOMETHING" is the longest sort.
    FILESYSTEM_SIZE_MAX = 128,
};

struct mount_event {
    struct event_header header;
    struct named named;
    s32 directory_fd;
    struct text source;
    struct text filesystem;
    u64 flags;
    u64 attributes_set;
    u64 attributes_cleared;
    u64 propagation;
    s32 fd;
    struct descriptor descriptor;
};

EVENT_RECORD(mount, EVENT_MOUNT)

// What a descriptor of a mount stands for.
static __always_inline void mount_descriptor_fill(struct record *record, struct mount_event *event, s32 fd) {
    struct file *file = descriptor_file(fd);
    event->fd = fd;
    if (!file) return;
    descriptor_read_with_path(record, &event->descriptor, file);
    struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
    struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
    record_kernel_string(record, &event->source, BPF_CORE_READ(mount, mnt_devname), REQUESTED_SIZE_MAX);
    const char *filesystem = BPF_CORE_READ(vfsmount, mnt_root, d_sb, s_type, name);
    record_kernel_string(record, &event->filesystem, filesystem, FILESYSTEM_SIZE_MAX);
}

static __always_inline void mount_mount_fill(struct record *record, struct mount_event *event,
                                             const struct call_frame *frame) {
    record_user_string(record, &event->source, (const void *)SYSCALL_ARGUMENT_0(frame), REQUESTED_SIZE_MAX);
    event->directory_fd = AT_FDCWD;
    named_read(record, &event->named, AT_FDCWD, (const void *)SYSCALL_ARGUMENT_1(frame), false);
    record_user_string(record, &event->filesystem, (const void *)SYSCALL_ARGUMENT_2(frame), FILESYSTEM_SIZE_MAX);
    event->flags = SYSCALL_ARGUMENT_3(frame);
}

static __always_inline void mount_move_fill(struct record *record, struct mount_event *event,
                                            const struct call_frame *frame) {
    event->flags = SYSCALL_ARGUMENT_4(frame);
    const bool to_descriptor = event->flags & MOVE_MOUNT_T_EMPTY_PATH;
    event->directory_fd = SYSCALL_ARGUMENT_2(frame);
    named_read(record, &event->named, event->directory_fd, (const void *)SYSCALL_ARGUMENT_3(frame), to_descriptor);
    if (event->flags & MOVE_MOUNT_F_EMPTY_PATH)
        mount_descriptor_fill(record, event, SYSCALL_ARGUMENT_0(frame));
    else
        record_user_string(record, &event->source, (const void *)SYSCALL_ARGUMENT_1(frame), REQUESTED_SIZE_MAX);
}

static __always_inline void mount_change_fill(struct record *record, struct mount_event *event,
                                              const struct call_frame *frame, long result) {
    struct mount_attr attributes = {};
    event->directory_fd = SYSCALL_ARGUMENT_0(frame);
    named_read(record, &event->named, event->directory_fd, (const void *)SYSCALL_ARGUMENT_1(frame), result >= 0);
    event->flags = SYSCALL_ARGUMENT_2(frame);
    bpf_probe_read_user(&attributes, sizeof(attributes), (const void *)SYSCALL_ARGUMENT_3(frame));
    event->attributes_set = attributes.attr_set;
    event->attributes_cleared = attributes.attr_clr;
    event->propagation = attributes.propagation;
}

static __always_inline void mount_tree_fill(struct record *record, struct mount_event *event,
                                            const struct call_frame *frame, long result) {
    event->directory_fd = SYSCALL_ARGUMENT_0(frame);
    named_read(record, &event->named, event->directory_fd, (const void *)SYSCALL_ARGUMENT_1(frame), result >= 0);
    event->flags = (u32)SYSCALL_ARGUMENT_2(frame);
    if (result >= 0) mount_descriptor_fill(record, event, result);
}

SYSCALL_PROGRAM(mount, EVENT_MOUNT, frame, result) {
    if (!event_seen_of_others(EVENT_MOUNT)) return 0;
    // Without the flag it only opens what is there.
    if (syscall_call(frame) == CALL_OPEN_TREE && !(SYSCALL_ARGUMENT_2(frame) & OPEN_TREE_CLONE))
        return event_filtered(EVENT_MOUNT);
    struct record *record;
    struct mount_event *event = mount_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    event->fd = -1;
    if (call_id == CALL_MOUNT) mount_mount_fill(record, event, frame);
    if (call_id == CALL_MOVE_MOUNT) mount_move_fill(record, event, frame);
    if (call_id == CALL_MOUNT_SETATTR) mount_change_fill(record, event, frame, result);
    if (call_id == CALL_OPEN_TREE) mount_tree_fill(record, event, frame, result);
    if (call_id == CALL_FSMOUNT) {
        event->flags = SYSCALL_ARGUMENT_1(frame);
        event->attributes_set = SYSCALL_ARGUMENT_2(frame);
        if (result >= 0) mount_descriptor_fill(record, event, result);
    }
    return record_submit(record);
}
