// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports the end of each process, when its last thread ends.
#include "task.h"

enum { SIGNAL_GROUP_EXIT = 4, SIGNAL_MASK = 0x7f, CORE_DUMPED = 0x80 };

struct exit_event {
    struct event_header header;
    u32 code;
    u32 signal;
    u8 core_dumped;
};

EVENT_RECORD(exit, EVENT_EXIT)

// As wait(2) reports it: of the whole group when it was ended as a whole, else of its leader.
static __always_inline u32 exit_status(struct task_struct *task) {
    if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT) return BPF_CORE_READ(task, signal, group_exit_code);
    return BPF_CORE_READ(task, group_leader, exit_code);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task) {
    if (!event_seen(EVENT_EXIT)) return 0;
    if (BPF_CORE_READ(task, signal, live.counter) != 0) return event_filtered(EVENT_EXIT);

    struct record *record;
    struct exit_event *event = exit_begin(&record);
    if (!event) return 0;
    u32 status = exit_status(task);
    header_fill(record, &event->header, task);
    event->header.call = CALL_PROCEXIT;
    event->signal = status & SIGNAL_MASK;
    event->core_dumped = (status & CORE_DUMPED) != 0;
    event->code = status >> 8 & 0xff;
    return record_submit(record);
}
