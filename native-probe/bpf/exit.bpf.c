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

enum {
    // Of so many processes that ended last it is known that they were told. Each processor takes 128 entries of an LRU
    // map for itself; a process's threads that end together do so within the time of a few thousand other exits.
    ENDED_PROCESSES_MAX = 4096,
    EEXIST = 17,
};

struct ended_process {
    u64 start_time_ns;
    u32 pid;
    u32 unused;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, ENDED_PROCESSES_MAX);
    __type(key, struct ended_process);
    __type(value, u8);
} ended_processes SEC(".maps");

// Threads are counted out some time before the tracepoint, and until 6.16 (3e816361e94a) those that wait for one's end
// are woken in between: it can be held up there, and come to the tracepoint when the last one has come and gone. All of
// them find nobody left. The first to come here tells of the process; where the map has no room, rather twice than
// never.
static __always_inline bool is_first_to_end(struct task_struct *task) {
    struct ended_process ended = {};
    const u8 present = 1;
    ended.start_time_ns = BPF_CORE_READ(task, group_leader, start_boottime);
    ended.pid = BPF_CORE_READ(task, tgid);
    // The upper half of an error is not there before 6.4 (d7ba4cc900bf).
    return (s32)bpf_map_update_elem(&ended_processes, &ended, &present, BPF_NOEXIST) != -EEXIST;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task) {
    if (!event_seen(EVENT_EXIT)) return 0;
    if (BPF_CORE_READ(task, signal, live.counter) != 0) return event_filtered(EVENT_EXIT);
    if (!is_first_to_end(task)) return event_filtered(EVENT_EXIT);

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
