// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Openings of files (struct file) that were written to already, so that the first write of each can be told.
#pragma once

#include "descriptor.h"

enum {
    // Openings remembered; beyond, the one longest not written to is forgotten, and its next write told as a first.
    OPENINGS_MAX = 16384,
    FMODE_WRITE = 2,
};

// The kernel uses the place of a closed file for another: the inode tells most of these apart, and an opening that is
// seen forgets what stood at its place.
struct opening_key {
    u64 file;
    u64 inode;
};

// To when the first write was seen.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, OPENINGS_MAX);
    __type(key, struct opening_key);
    __type(value, u64);
} openings SEC(".maps");

static __always_inline struct opening_key opening_key_of(struct file *file, struct inode *inode) {
    return (struct opening_key){.file = (u64)file, .inode = BPF_CORE_READ(inode, i_ino)};
}

// Of a file that was just opened.
static __always_inline int opening_begin(struct file *file) {
    if (!file || !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE)) return 0;
    struct opening_key key = opening_key_of(file, BPF_CORE_READ(file, f_inode));
    if (bpf_map_lookup_elem(&openings, &key)) bpf_map_delete_elem(&openings, &key);
    return 0;
}

// Whether a write was the first of its opening, and remembers it; of nothing but regular files. What was remembered
// while openings were not watched may be of another that stood at the same place.
static __always_inline bool opening_written_first(struct file *file) {
    struct settings *now = settings_read();
    struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : NULL;
    if (!now || !inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG) return false;
    struct opening_key key = opening_key_of(file, inode);
    u64 *written_ns = bpf_map_lookup_elem(&openings, &key);
    if (written_ns && *written_ns >= now->openings_watched_since_ns) return false;
    u64 now_ns = bpf_ktime_get_boot_ns();
    // Of threads that write at the same time one is the first.
    if (!written_ns) return bpf_map_update_elem(&openings, &key, &now_ns, BPF_NOEXIST) == 0;
    *written_ns = now_ns;
    return true;
}
