// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each program that could not be run, and what was asked for.
#include "syscall.h"

enum {
    FAILED_ARGS_MAX = 16,
    FAILED_ARG_SIZE_MAX = 256,
    FAILED_FILENAME_SIZE_MAX = 4096,
    EXEC_AT_FDCWD = -100,
};

struct exec_failure_event {
    struct event_header header;
    struct text filename;
    s32 directory_fd;
    u32 flags;
    struct text_list args;
    u8 args_truncated;
};

EVENT_RECORD(exec_failure, EVENT_EXEC_FAILURE)

// Pointer `index` of an array in the caller's memory; NULL behind the last.
static __always_inline const char *failed_arg(u64 args, int index, bool is_narrow) {
    u64 pointer = 0;
    const u32 size = is_narrow ? sizeof(u32) : sizeof(u64);
    bpf_probe_read_user(&pointer, size, (const void *)(args + index * size));
    return (const char *)pointer;
}

// The arguments as the caller still has them: the kernel's own copy is gone.
static __always_inline void failed_args_fill(struct record *record, struct exec_failure_event *event, u64 args,
                                             bool is_narrow) {
    u32 start = record->size;
    int count = 0;
    for (; count <= FAILED_ARGS_MAX; count++) {
        const char *arg = args ? failed_arg(args, count, is_narrow) : NULL;
        if (!arg) break;
        u8 *room = record_room(record);
        if (!room || count == FAILED_ARGS_MAX) {
            event->args_truncated = 1;
            break;
        }
        long length = record_read_string(record, room, FAILED_ARG_SIZE_MAX, arg);
        if (length <= 0) break;
        if (length == FAILED_ARG_SIZE_MAX) event->args_truncated = 1;
        record->size += length;
    }
    event->args.offset = start;
    event->args.length = record->size - start;
}

SYSCALL_PROGRAM(exec_failure, EVENT_EXEC_FAILURE, frame, result) {
    // What could be run is an exec, not this.
    if (result >= 0) return 0;
    if (!event_seen(EVENT_EXEC_FAILURE)) return 0;

    struct record *record;
    struct exec_failure_event *event = exec_failure_begin(&record);
    if (!event) return 0;
    u64 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame), third = SYSCALL_ARGUMENT_2(frame);
    u32 call = syscall_call(frame);
    const bool is_at = call == CALL_EXECVEAT;
    header_fill_call(record, &event->header, frame, result);
    event->directory_fd = is_at ? (s32)first : EXEC_AT_FDCWD;
    if (is_at) event->flags = SYSCALL_ARGUMENT_4(frame);
    record_user_string(record, &event->filename, (const void *)(is_at ? second : first), FAILED_FILENAME_SIZE_MAX);
    failed_args_fill(record, event, is_at ? third : second, frame->narrow);
    return record_submit(record);
}
