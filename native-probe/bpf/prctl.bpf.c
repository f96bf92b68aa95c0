// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports what prctl changes of a thread, and each try; options that only ask are counted as filtered.
#include "known_thread.h"
#include "syscall.h"

// Of include/uapi/linux/prctl.h.
enum {
    PR_SET_PDEATHSIG = 1,
    PR_SET_DUMPABLE = 4,
    PR_SET_KEEPCAPS = 8,
    PR_SET_NAME = 15,
    PR_SET_SECCOMP = 22,
    PR_CAPBSET_DROP = 24,
    PR_SET_SECUREBITS = 28,
    PR_SET_MM = 35,
    PR_SET_CHILD_SUBREAPER = 36,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_CAP_AMBIENT = 47,
    PR_SET_SPECULATION_CTRL = 53,
    PR_SET_SYSCALL_USER_DISPATCH = 59,
    PR_SET_MDWE = 65,
    // "Yama"
    PR_SET_PTRACER = 0x59616d61,
    // TASK_COMM_LEN
    THREAD_NAME_SIZE_MAX = 16,
};

struct prctl_event {
    struct event_header header;
    u32 option;
    struct text name;
    char name_before[THREAD_NAME_SIZE_MAX];
    u64 argument_2, argument_3;
};

EVENT_RECORD(prctl, EVENT_PRCTL)

static __always_inline bool prctl_is_told(u32 option) {
    const u64 told = 1ULL << PR_SET_PDEATHSIG | 1ULL << PR_SET_DUMPABLE | 1ULL << PR_SET_KEEPCAPS |
                     1ULL << PR_SET_SECCOMP | 1ULL << PR_CAPBSET_DROP | 1ULL << PR_SET_SECUREBITS | 1ULL << PR_SET_MM |
                     1ULL << PR_SET_CHILD_SUBREAPER | 1ULL << PR_SET_NO_NEW_PRIVS | 1ULL << PR_CAP_AMBIENT |
                     1ULL << PR_SET_SPECULATION_CTRL | 1ULL << PR_SET_SYSCALL_USER_DISPATCH;
    u64 ids = bpf_get_current_pid_tgid();
    // A process is called what its first thread is.
    if (option == PR_SET_NAME) return ids >> 32 == (u32)ids;
    return option < 64 ? told >> option & 1 : option == PR_SET_MDWE || option == PR_SET_PTRACER;
}

static __always_inline void prctl_name_fill(struct record *record, struct prctl_event *event) {
    struct known_thread *known = known_thread_find();
    if (known) __builtin_memcpy(event->name_before, known->name, sizeof(event->name_before));
    record_user_string(record, &event->name, (const void *)event->argument_2, THREAD_NAME_SIZE_MAX);
}

SYSCALL_PROGRAM(prctl, EVENT_PRCTL, frame, result) {
    if (!event_seen(EVENT_PRCTL)) {
        known_threads_forget();
        return 0;
    }
    u32 option = SYSCALL_ARGUMENT_0(frame);
    if (!prctl_is_told(option)) return event_filtered(EVENT_PRCTL);
    struct record *record;
    struct prctl_event *event = prctl_begin(&record);
    if (event) {
        header_fill_call(record, &event->header, frame, result);
        event->option = option;
        event->argument_2 = SYSCALL_ARGUMENT_1(frame);
        event->argument_3 = SYSCALL_ARGUMENT_2(frame);
        if (option == PR_SET_NAME) prctl_name_fill(record, event);
    }
    // Some of them change capabilities.
    known_thread_keep_current();
    return event ? record_submit(record) : 0;
}
