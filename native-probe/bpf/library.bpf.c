// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file that is mapped to be executed, once for each file and cgroup in a while, and each try: mmap.
#include "fold.h"
#include "mapping.h"
#include "named.h"

enum {
    // Files remembered; beyond, the one longest not mapped is forgotten, and told again.
    LIBRARIES_MAX = 16384,
};

struct library_event {
    struct event_header header;
    struct path_text path;
    u8 path_truncated;
    s32 fd;
    u32 device;
    u64 inode;
    u64 changed_time_ns;
    u64 modified_time_ns;
    u32 owner_uid;
    u32 file_mode;
    u8 from_memfd;
    u8 upper_layer;
    u8 unlinked;
    u64 address;
    u64 size_bytes;
    u64 offset_bytes;
    u32 protection;
    u32 flags;
};

EVENT_RECORD(library, EVENT_LIBRARY)

// A file as it is now, where it is seen; a change of the inode makes it another.
struct library_key {
    u64 cgroup_id;
    u64 inode;
    u64 changed_time_ns;
    u64 device;
};

// To when it was told.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, LIBRARIES_MAX);
    __type(key, struct library_key);
    __type(value, u64);
} libraries SEC(".maps");

static __always_inline struct library_key library_key_read(struct inode *inode) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    return (struct library_key){
        .cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id),
        .inode = BPF_CORE_READ(inode, i_ino),
        .changed_time_ns = inode_changed_time_ns(inode),
        .device = BPF_CORE_READ(inode, i_sb, s_dev),
    };
}

static __always_inline void library_file_fill(struct record *record, struct library_event *event, struct file *file) {
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
    path_read(record, &event->path, &file->f_path);
    event->path_truncated = event->path.truncated;
    event->device = device_number(BPF_CORE_READ(inode, i_sb, s_dev));
    event->inode = BPF_CORE_READ(inode, i_ino);
    event->changed_time_ns = inode_changed_time_ns(inode);
    event->modified_time_ns = inode_modified_time_ns(inode);
    event->owner_uid = BPF_CORE_READ(inode, i_uid.val);
    event->file_mode = BPF_CORE_READ(inode, i_mode);
    event->from_memfd = image_is_memfd(dentry, inode);
    event->upper_layer = image_is_on_upper_layer(inode);
    event->unlinked = image_is_unlinked(dentry, inode);
}

SYSCALL_PROGRAM(library, EVENT_LIBRARY, frame, result) {
    u64 protection = SYSCALL_ARGUMENT_2(frame), flags = SYSCALL_ARGUMENT_3(frame);
    if (!(protection & PROT_EXEC) || flags & MAP_ANONYMOUS) return 0;
    if (!event_seen_of_others(EVENT_LIBRARY)) return 0;
    const bool failed = result < 0 && result >= MAP_ERRORS_FROM;
    struct file *file = descriptor_file(SYSCALL_ARGUMENT_4(frame));
    // What fails is told each time.
    const bool is_folded = file && !failed;
    struct library_key key = {};
    u64 now_ns = bpf_ktime_get_boot_ns();
    if (is_folded) {
        key = library_key_read(BPF_CORE_READ(file, f_inode));
        if (fold_is_fresh(bpf_map_lookup_elem(&libraries, &key), now_ns)) return event_folded(EVENT_LIBRARY);
    }
    if (governor_gives_up(EVENT_LIBRARY)) return event_governed(EVENT_LIBRARY);

    struct record *record;
    struct library_event *event = library_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->address = SYSCALL_ARGUMENT_0(frame);
    event->size_bytes = SYSCALL_ARGUMENT_1(frame);
    event->protection = protection;
    event->flags = flags;
    event->fd = SYSCALL_ARGUMENT_4(frame);
    event->offset_bytes = SYSCALL_ARGUMENT_5(frame);
    // The 32-bit call counts in pages.
    if (frame->narrow) event->offset_bytes <<= I386_PAGE_SHIFT;
    if (file) library_file_fill(record, event, file);
    if (record_put(record) && is_folded) bpf_map_update_elem(&libraries, &key, &now_ns, BPF_ANY);
    return 0;
}
