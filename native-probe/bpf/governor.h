// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What the governor gives up of what passed the filters, while the sensor takes more of the host than it may.
#pragma once

#include "filter.h"
#include "image.h"

// An executable in a cgroup: of a compiler, say, all processes together.
struct governed_program {
    u64 cgroup_id;
    u64 executable_inode;
    u64 executable_device;
};

struct governed_opens {
    u64 second;
    u64 count;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, GOVERNED_PROGRAMS_MAX);
    __type(key, struct governed_program);
    __type(value, struct governed_opens);
} governed_programs SEC(".maps");

// One of GOVERNED_SAMPLE, by chance: what comes in a rhythm must not be hidden by it.
static __always_inline bool governor_takes_sample(void) {
    return bpf_get_prandom_u32() % GOVERNED_SAMPLE == 0;
}

// Counts an open of the acting program; whether it has opened much in this second. Two processors that count at once
// may lose one.
static __noinline int governor_counts_noise(void) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct inode *executable = BPF_CORE_READ(task, mm, exe_file, f_inode);
    struct governed_program program = {
        .cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id),
        .executable_inode = BPF_CORE_READ(executable, i_ino),
        .executable_device = BPF_CORE_READ(executable, i_sb, s_dev),
    };
    const u64 second = bpf_ktime_get_boot_ns() / NS_PER_S;
    struct governed_opens *opens = bpf_map_lookup_elem(&governed_programs, &program);
    if (!opens || opens->second != second) {
        struct governed_opens first = {second, 1};
        bpf_map_update_elem(&governed_programs, &program, &first, BPF_ANY);
        return 0;
    }
    opens->count++;
    return opens->count > GOVERNED_READS_PER_S;
}

// Whether a file that is written to lies at none of the sensitive paths.
static __always_inline bool governor_finds_elsewhere(struct file *file) {
    struct settings *now = settings_read();
    if (!now || !file) return false;
    struct filter filter;
    u32 number = (now->filter_generation % FILTER_GENERATIONS) << 16 | FILTER_SENSITIVE << 8;
    if (!filter_of_number(&filter, number) || filter.row->everything & filter.bit) return false;
    struct path path = {};
    bpf_core_read(&path, sizeof(path), &file->f_path);
    return path.dentry && !filter_ask_path(number, (u64)path.dentry, (u64)path.mnt);
}

// Of a type that no more is asked about than whether it is wanted: whether this event of it is given up.
static __always_inline bool governor_gives_up(u32 type) {
    const u32 governed = governed_of(type);
    return governed & GOVERNED_WANTED || (governed & GOVERNED_SAMPLED && !governor_takes_sample());
}

// The same of an open, and of a write; `file` is NULL where the call failed.
static __always_inline bool governor_gives_up_file(u32 type, bool writes, struct file *file) {
    const u32 governed = governed_of(type);
    if (!governed) return false;
    if (governed & GOVERNED_WANTED) return true;
    if (writes) return governed & GOVERNED_ELSEWHERE && governor_finds_elsewhere(file);
    if (governed & GOVERNED_READS) return true;
    return governed & GOVERNED_NOISY_READS && governor_counts_noise() && !governor_takes_sample();
}
