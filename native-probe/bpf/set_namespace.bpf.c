// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each thread that enters other namespaces or makes new ones, and each try.
#include "descriptor.h"
#include "known_thread.h"
#include "syscall.h"

enum { NSFS_MAGIC = 0x6e736673 };

struct set_namespace_event {
    struct event_header header;
    u64 flags;
    s32 fd;
    u64 requested_namespace;
    u8 before_known;
    struct namespaces before;
    struct namespaces after;
    struct credentials credentials;
};

EVENT_RECORD(set_namespace, EVENT_SET_NAMESPACE)

// The namespace that a descriptor of /proc/PID/ns refers to.
static __always_inline u64 descriptor_namespace(s32 fd) {
    struct file *file = descriptor_file(fd);
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != NSFS_MAGIC) return 0;
    return BPF_CORE_READ(inode, i_ino);
}

static __always_inline void set_namespace_fill(struct set_namespace_event *event, const struct call_frame *frame) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct known_thread *known = known_thread_find();
    const bool is_setns = event->header.call == CALL_SETNS;
    event->flags = (u32)(is_setns ? SYSCALL_ARGUMENT_1(frame) : SYSCALL_ARGUMENT_0(frame));
    if (is_setns) {
        event->fd = SYSCALL_ARGUMENT_0(frame);
        event->requested_namespace = descriptor_namespace(event->fd);
    }
    namespaces_read(&event->after, task, false);
    // A task never leaves the pid namespace it was born in.
    pid_innermost(BPF_CORE_READ(task, thread_pid), &event->after.pid);
    if (known) {
        event->before_known = 1;
        event->before = known->namespaces;
        event->before.pid = event->after.pid;
    }
    credentials_read(&event->credentials, task, false);
}

SYSCALL_PROGRAM(set_namespace, EVENT_SET_NAMESPACE, frame, result) {
    if (!event_seen(EVENT_SET_NAMESPACE)) {
        known_threads_forget();
        return 0;
    }
    struct record *record;
    struct set_namespace_event *event = set_namespace_begin(&record);
    if (event) {
        header_fill_call(record, &event->header, frame, result);
        set_namespace_fill(event, frame);
    }
    known_thread_keep_current();
    return event ? record_submit(record) : 0;
}
