// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What a path that a call was given led to. The kernel resolves it in the middle of the call and lets go of it before
// the call returns, so it is noted where the kernel asks its security modules about it, and told when the call returns.
#pragma once

#include "named.h"

enum {
    // Calls that are between the two at once. Beyond, paths are told as they were passed.
    RESOLVED_CALLS_MAX = 1024,
    // Of the call's paths together; what is longer is told as it was passed.
    RESOLVED_SIZE_MAX = 4096,
    RESOLVED_PATHS = 2,
};

struct resolved_call {
    // Whose: a thread's number is used again.
    u64 start_time_ns;
    // enum call
    u32 call;
    // Offsets count from the beginning of this struct.
    struct path_text paths[RESOLVED_PATHS];
    u8 bytes[RESOLVED_SIZE_MAX];
};

// By thread. Who notes and who tells are in the same call, so it is empty but for the calls under way.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, RESOLVED_CALLS_MAX);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u32);
    __type(value, struct resolved_call);
} resolved_calls SEC(".maps");

// A place in the tree, as the hooks have it.
struct resolved_place {
    const struct path *directory;
    // In that directory; NULL where the path is the place itself.
    struct dentry *dentry;
};

// Which call the thread is in, if a program of this type will be there when it returns. Others pass the same hooks:
// bind makes a node, an open truncates, and rings and the kernel's own threads are in no call that names a file.
static __always_inline u32 resolved_for(u32 type) {
    struct settings *now = settings_read();
    if (!now || !now->active || !type_is_wanted(now, type) || reader_is_gone(now) || task_is_own()) return 0;
    struct call_entry *entry = current_call_entry();
    if (!entry) return 0;
    for (int i = 0; i < SYSCALL_TYPES_MAX; i++)
        if (entry->types[i] == type) return entry->call;
    return 0;
}

// What is copied by a helper is a number to the verifier, and that is what path_walk takes.
static __always_inline void resolved_walk(struct record *record, struct path_text *text, struct resolved_place known) {
    struct resolved_place place = {};
    struct path directory = {};
    bpf_probe_read_kernel(&place, sizeof(place), &known);
    bpf_probe_read_kernel(&directory, sizeof(directory), place.directory);
    path_walk(record->slot, (u64)(place.dentry ?: directory.dentry), (u64)directory.mnt);
    *text = record->walked;
}

static __always_inline int resolved_note(u32 type, struct resolved_place first, struct resolved_place second) {
    u32 call = resolved_for(type), tid = bpf_get_current_pid_tgid();
    struct record *record = call ? record_free() : NULL;
    if (!record) return 0;
    struct resolved_call *noted = (void *)record->bytes;
    __builtin_memset(noted, 0, __builtin_offsetof(struct resolved_call, bytes));
    record->size = __builtin_offsetof(struct resolved_call, bytes);
    noted->start_time_ns = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), start_boottime);
    noted->call = call;
    resolved_walk(record, &noted->paths[0], first);
    if (second.directory) resolved_walk(record, &noted->paths[1], second);
    const bool is_whole = !noted->paths[0].truncated && !noted->paths[1].truncated;
    if (is_whole && record->size <= sizeof(*noted)) bpf_map_update_elem(&resolved_calls, &tid, noted, BPF_ANY);
    record_give_back(record);
    return 0;
}

static __always_inline void resolved_copy(struct record *record, struct joined_path *told, struct resolved_call *noted,
                                          const struct path_text *from) {
    u8 *room = record_room(record);
    u64 offset = from->offset, length = from->length;
    barrier_var(offset);
    barrier_var(length);
    if (!room || length == 0 || length > RESOLVED_SIZE_MAX || offset > sizeof(*noted)) return;
    if (bpf_probe_read_kernel(room, length, (u8 *)noted + offset)) return;
    told->directory = (struct path_text){.offset = record->size, .length = length};
    told->requested = (struct text){};
    record->size += length;
}

// Puts what was noted of the call that returns in the place of what it was passed; `second` is NULL where it has one.
static __always_inline void resolved_tell(struct record *record, const struct call_frame *frame,
                                          struct joined_path *first, struct joined_path *second) {
    u32 tid = bpf_get_current_pid_tgid();
    if (frame->ring) return;
    struct resolved_call *noted = bpf_map_lookup_elem(&resolved_calls, &tid);
    if (!noted) return;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (noted->call == syscall_call(frame) && noted->start_time_ns == BPF_CORE_READ(task, start_boottime)) {
        resolved_copy(record, first, noted, &noted->paths[0]);
        if (second) resolved_copy(record, second, noted, &noted->paths[1]);
    }
    bpf_map_delete_elem(&resolved_calls, &tid);
}

#define RESOLVED_NOWHERE ((struct resolved_place){})

// Define the program that notes for an event type at one of the kernel's functions: of a name in a directory, or of a
// place itself. The addon leaves it out with the type, and where the kernel has no such function or shows no arguments.
#define RESOLVED_NAME(type, id, function)                                                                              \
    SEC("fentry/" #function)                                                                                           \
    int BPF_PROG(resolved_##type##__##function, const struct path *directory, struct dentry *dentry) {                 \
        return resolved_note(id, (struct resolved_place){directory, dentry}, RESOLVED_NOWHERE);                        \
    }
#define RESOLVED_PATH(type, id, function)                                                                              \
    SEC("fentry/" #function)                                                                                           \
    int BPF_PROG(resolved_##type##__##function, const struct path *path) {                                             \
        return resolved_note(id, (struct resolved_place){path, NULL}, RESOLVED_NOWHERE);                               \
    }
