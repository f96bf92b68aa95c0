// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What threads were when they were last seen. When a call that changes ids returns, the old ones are gone, and a
// program at every call's entry would cost each of them 70 ns; so they are kept from the fork, the exec or the last
// change.
#pragma once

#include "credentials.h"

struct known_thread {
    // Whose: a number is used again.
    u64 start_time_ns;
    // When it was so.
    u64 time_ns;
    struct credentials credentials;
    struct namespaces namespaces;
    char name[16];
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, KNOWN_THREADS_MAX);
    __type(key, u32);
    __type(value, struct known_thread);
} known_threads SEC(".maps");

// A change passes unseen: what was kept before it may not be so any more.
static __always_inline void known_threads_forget(void) {
    struct settings *settings = settings_read();
    if (settings && settings->threads_known_since_ns) settings->threads_known_since_ns = bpf_ktime_get_boot_ns();
}

// Keeps what a thread is from `time_ns` on.
static __always_inline void known_thread_keep(struct task_struct *task, bool is_known, u64 time_ns) {
    struct known_thread now = {.time_ns = time_ns};
    struct settings *settings = settings_read();
    u32 tid = READ(is_known, task, pid);
    if (!settings || !settings->threads_known_since_ns) return;
    if (!settings->active || reader_is_gone(settings)) return known_threads_forget();
    now.start_time_ns = READ(is_known, task, start_boottime);
    credentials_read(&now.credentials, task, is_known);
    namespaces_read(&now.namespaces, task, is_known);
    bpf_core_read(&now.name, sizeof(now.name), &task->comm);
    bpf_map_update_elem(&known_threads, &tid, &now, BPF_ANY);
}

// The running thread, after a call that changed it.
static __always_inline void known_thread_keep_current(void) {
    u64 time_ns = bpf_ktime_get_boot_ns();
    if (CURRENT_TASK_IS_KNOWN) return known_thread_keep(current_task_known(), true, time_ns);
    known_thread_keep((struct task_struct *)bpf_get_current_task(), false, time_ns);
}

// What the running thread was; NULL where that is not known for sure.
static __always_inline struct known_thread *known_thread_find(void) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    u32 tid = bpf_get_current_pid_tgid();
    struct settings *settings = settings_read();
    struct known_thread *known = bpf_map_lookup_elem(&known_threads, &tid);
    if (!settings || !settings->threads_known_since_ns || !known) return NULL;
    if (known->start_time_ns != BPF_CORE_READ(task, start_boottime)) return NULL;
    return known->time_ns >= settings->threads_known_since_ns ? known : NULL;
}
