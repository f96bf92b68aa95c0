// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Events that nobody wants each time: one of each key is told in a window, the others are counted as folded.
#pragma once

#include "governor.h"

enum {
    // Keys remembered; beyond, the one longest not seen is forgotten, and told again.
    FOLDS_MAX = 8192,
};

// Which program of which container has to do with whom. All of it is compared, so that nothing is folded but the same.
struct fold_key {
    u64 cgroup_id;
    u64 executable_inode;
    u32 executable_device;
    u32 port;
    u8 type;
    u8 class;
    u8 address_length;
    u8 path_length;
    u8 address[IPV6_SIZE];
    char path[UNIX_PATH_SIZE_MAX];
};

// To when it was told.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, FOLDS_MAX);
    __type(key, struct fold_key);
    __type(value, u64);
} folds SEC(".maps");

// Whether what was told at this time, NULL where it was not, need not be told again.
static __always_inline bool fold_is_fresh(u64 *told_ns, u64 now_ns) {
    struct settings *now = settings_read();
    return told_ns && now && now_ns - *told_ns < now->fold_window_s * NS_PER_S;
}

// The end that tells the peer, and the port that tells the service.
static __noinline int fold_read(struct fold_key *key, struct record *record, struct endpoint *peer, u32 port) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct inode *executable = BPF_CORE_READ(task, mm, exe_file, f_inode);
    key->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
    key->executable_inode = BPF_CORE_READ(executable, i_ino);
    key->executable_device = BPF_CORE_READ(executable, i_sb, s_dev);
    key->port = port;
    key->address_length = peer->address.length;
    __builtin_memcpy(key->address, peer->address.bytes, sizeof(key->address));
    u32 length = peer->path.length, at = peer->path.offset;
    barrier_var(length);
    barrier_var(at);
    if (length > sizeof(key->path) || at > RECORD_SIZE_MAX) return 0;
    key->path_length = length;
    bpf_probe_read_kernel(key->path, length, record->bytes + at);
    return 0;
}

// What becomes of a record that only those want who fold it, and no filter lets pass: `class` is its filter's.
static __noinline int record_fold(struct record *record, struct endpoint *peer, u32 port, u32 class) {
    u64 now_ns = bpf_ktime_get_boot_ns();
    struct fold_key key = {.type = record->type, .class = class};
    fold_read(&key, record, peer, port);
    if (fold_is_fresh(bpf_map_lookup_elem(&folds, &key), now_ns)) {
        record_cancel(record);
        return event_folded(key.type);
    }
    // Told is what is in the ring: what was dropped must not hide those that come after it.
    if (record_put(record)) bpf_map_update_elem(&folds, &key, &now_ns, BPF_ANY);
    return 0;
}

// The governor gives the record's event up.
static __always_inline int record_govern(struct record *record) {
    u32 type = record->type;
    record_cancel(record);
    return event_governed(type);
}

// Of a record that has two ends: submitted where its filter lets it pass, folded where someone wants that, or
// discarded.
static __always_inline int record_submit_wanted_ends(struct record *record, u32 class, struct endpoint *local,
                                                     struct endpoint *remote, bool is_server) {
    struct filter filter;
    const u32 governed = governed_of(record->type);
    enum filter_choice choice = filter_begin_folding(&filter, record->type, class);
    if (choice == FILTER_EVERYTHING ||
        (choice == FILTER_BY_KEYS && filter_passes_ends(&filter, filter_port(local), filter_port(remote))))
        return governed & GOVERNED_WANTED ? record_govern(record) : record_submit(record);
    if (!(filter.row->folded & filter.bit)) return record_discard(record);
    if (governed & GOVERNED_FOLDED) return record_govern(record);
    // A client's own port is another each time. Of unix sockets only who listens has a path.
    if (is_server) return record_fold(record, local->path.length ? local : remote, filter_port(local), class);
    return record_fold(record, remote, filter_port(remote), class);
}
