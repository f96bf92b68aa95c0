// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of a thread's capabilities with capset, and each try, with what they were and are.
#include "known_thread.h"
#include "syscall.h"

// Of include/uapi/linux/capability.h: the version with one half of each set; later ones have two.
enum { CAPABILITY_VERSION_1 = 0x19980330, CAPABILITY_HALVES = 2 };

struct capability_half {
    u32 effective, permitted, inheritable;
};

struct capset_event {
    struct event_header header;
    u64 inheritable, permitted, effective;
    u8 before_known;
    struct credentials before;
    struct credentials after;
};

EVENT_RECORD(capset, EVENT_CAPSET)

static __always_inline void capset_arguments_fill(struct capset_event *event, const struct call_frame *frame) {
    struct capability_half halves[CAPABILITY_HALVES] = {};
    u32 version = 0;
    bpf_probe_read_user(&version, sizeof(version), (const void *)SYSCALL_ARGUMENT_0(frame));
    const void *from = (const void *)SYSCALL_ARGUMENT_1(frame);
    if (version == CAPABILITY_VERSION_1)
        bpf_probe_read_user(halves, sizeof(halves[0]), from);
    else
        bpf_probe_read_user(halves, sizeof(halves), from);
    event->inheritable = (u64)halves[1].inheritable << 32 | halves[0].inheritable;
    event->permitted = (u64)halves[1].permitted << 32 | halves[0].permitted;
    event->effective = (u64)halves[1].effective << 32 | halves[0].effective;
}

SYSCALL_PROGRAM(capset, EVENT_CAPSET, frame, result) {
    if (!event_seen(EVENT_CAPSET)) {
        known_threads_forget();
        return 0;
    }
    struct record *record;
    struct capset_event *event = capset_begin(&record);
    if (event) {
        struct known_thread *known = known_thread_find();
        header_fill_call(record, &event->header, frame, result);
        capset_arguments_fill(event, frame);
        if (known) {
            event->before_known = 1;
            event->before = known->credentials;
        }
        credentials_read(&event->after, (struct task_struct *)bpf_get_current_task(), false);
    }
    known_thread_keep_current();
    return event ? record_submit(record) : 0;
}
