// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Files as system calls name them: by a path, from a directory or the working directory, or by a descriptor.
#pragma once

#include "descriptor.h"
#include "syscall.h"

enum {
    AT_FDCWD = -100,
    // PATH_MAX: the kernel takes no longer path.
    REQUESTED_SIZE_MAX = 4096,
};

// The addon makes one path of both, without "." and "..": of `requested` alone where it is absolute, of `directory`
// alone where `requested` is empty, and none where `requested` is relative and the directory not known.
struct joined_path {
    struct path_text directory;
    struct text requested;
};

// Members are fields of the messages of calls that take a path.
struct named {
    struct joined_path absolute;
    struct text requested;
};

// The same of calls that also take a descriptor.
struct target {
    struct named named;
    s32 directory_fd;
    s32 fd;
    struct descriptor descriptor;
};

// Of calls that take two names: what one becomes of, or is made of, and the other.
struct two_names {
    struct joined_path old_absolute;
    struct text old_requested;
    s32 old_directory_fd;
    struct joined_path new_absolute;
    struct text new_requested;
    s32 new_directory_fd;
};

// A call's arguments: what names the file, and what follows it.
struct named_call {
    s32 directory_fd;
    s32 fd;
    const void *path;
    u64 next[3];
};

enum named_by { BY_PATH, BY_DESCRIPTOR, BY_DIRECTORY };

static __always_inline struct named_call named_call_read(const struct call_frame *frame, enum named_by by) {
    u64 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame), third = SYSCALL_ARGUMENT_2(frame);
    u64 fourth = SYSCALL_ARGUMENT_3(frame), fifth = SYSCALL_ARGUMENT_4(frame);
    if (by == BY_DIRECTORY) return (struct named_call){first, -1, (const void *)second, {third, fourth, fifth}};
    if (by == BY_DESCRIPTOR) return (struct named_call){AT_FDCWD, first, NULL, {second, third, fourth}};
    return (struct named_call){AT_FDCWD, -1, (const void *)first, {second, third, fourth}};
}

// Where a relative path starts.
static __always_inline void directory_read(struct record *record, struct path_text *directory, s32 directory_fd) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (directory_fd == AT_FDCWD) return path_read(record, directory, &BPF_CORE_READ(task, fs)->pwd);
    struct file *file = descriptor_file(directory_fd);
    if (file) path_read(record, directory, &file->f_path);
}

// What an empty path means differs from call to call; where the call succeeded it was the directory itself.
static __noinline int named_read(struct record *record, struct named *named, s32 directory_fd, const void *path,
                                 bool succeeded) {
    char first = 0;
    record_user_string(record, &named->requested, path, REQUESTED_SIZE_MAX);
    named->absolute.requested = named->requested;
    record_read_passed(record, &first, sizeof(first), path);
    if (first == '/' || (!named->requested.length && !succeeded)) return 0;
    directory_read(record, &named->absolute.directory, directory_fd);
    return 0;
}

// Both names, each below its directory.
static __always_inline void two_names_read(struct record *record, struct two_names *names, const void *old_path,
                                           const void *new_path) {
    struct named old = {}, new = {};
    named_read(record, &old, names->old_directory_fd, old_path, false);
    named_read(record, &new, names->new_directory_fd, new_path, false);
    names->old_absolute = old.absolute;
    names->old_requested = old.requested;
    names->new_absolute = new.absolute;
    names->new_requested = new.requested;
}

// What a call by path or by descriptor concerns; an empty path and a descriptor of a directory name its file.
static __always_inline void target_read(struct record *record, struct target *target, struct named_call *call,
                                        bool succeeded) {
    target->directory_fd = call->directory_fd;
    target->fd = call->fd;
    if (target->fd < 0) {
        named_read(record, &target->named, call->directory_fd, call->path, succeeded);
        if (target->named.requested.length || !succeeded) return;
        target->fd = call->directory_fd == AT_FDCWD ? -1 : call->directory_fd;
    }
    struct file *file = target->fd < 0 ? NULL : descriptor_file(target->fd);
    if (!file) return;
    descriptor_read_with_path(record, &target->descriptor, file);
    target->named.absolute.directory = target->descriptor.path;
}
