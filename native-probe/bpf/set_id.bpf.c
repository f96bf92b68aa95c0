// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of a thread's user and group ids, and each try, with what they were and are.
#include "known_thread.h"
#include "syscall.h"

struct set_id_event {
    struct event_header header;
    u32 uid, gid;
    u32 real_uid, effective_uid, saved_uid;
    u32 real_gid, effective_gid, saved_gid;
    u32 group_count;
    u8 before_known;
    struct credentials before;
    struct credentials after;
};

EVENT_RECORD(set_id, EVENT_SET_ID)

// What was asked for, wherever the calls have it.
static __always_inline void set_id_arguments_fill(struct set_id_event *event, u32 call,
                                                  const struct call_frame *frame) {
    u32 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame), third = SYSCALL_ARGUMENT_2(frame);
    switch (call) {
    case CALL_SETUID:
    case CALL_SETFSUID:
        event->uid = first;
        break;
    case CALL_SETGID:
    case CALL_SETFSGID:
        event->gid = first;
        break;
    case CALL_SETRESUID:
        event->saved_uid = third;
        // fall through
    case CALL_SETREUID:
        event->real_uid = first;
        event->effective_uid = second;
        break;
    case CALL_SETRESGID:
        event->saved_gid = third;
        // fall through
    case CALL_SETREGID:
        event->real_gid = first;
        event->effective_gid = second;
        break;
    case CALL_SETGROUPS:
        event->group_count = first;
    }
}

static __always_inline void set_id_fill(struct set_id_event *event, const struct call_frame *frame) {
    struct known_thread *known = known_thread_find();
    set_id_arguments_fill(event, event->header.call, frame);
    if (known) {
        event->before_known = 1;
        event->before = known->credentials;
    }
    credentials_read(&event->after, (struct task_struct *)bpf_get_current_task(), false);
}

SYSCALL_PROGRAM(set_id, EVENT_SET_ID, frame, result) {
    if (!event_seen(EVENT_SET_ID)) {
        known_threads_forget();
        return 0;
    }
    struct record *record;
    struct set_id_event *event = set_id_begin(&record);
    if (event) {
        header_fill_call(record, &event->header, frame, result);
        set_id_fill(event, frame);
    }
    known_thread_keep_current();
    return event ? record_submit(record) : 0;
}
