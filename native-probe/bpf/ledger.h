// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// The account of every event type, and whether anyone wants the type at all.
#pragma once

#include "shared.h"

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, EVENT_TYPE_IDS_MAX);
    __type(key, u32);
    __type(value, struct ledger_counts);
} ledger SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, struct settings);
} settings SEC(".maps");

static __always_inline struct settings *settings_read(void) {
    u32 key = 0;
    return bpf_map_lookup_elem(&settings, &key);
}

// Adds to a counter of this CPU. Atomic, since a newer kernel may let another program in between.
#define LEDGER_COUNT(event_type, counter) LEDGER_ADD(event_type, counter, 1)
#define LEDGER_ADD(event_type, counter, number)                                                                        \
    do {                                                                                                               \
        u32 ledger_key = (event_type);                                                                                 \
        struct ledger_counts *counts = bpf_map_lookup_elem(&ledger, &ledger_key);                                      \
        if (counts) __sync_fetch_and_add(&counts->counter, number);                                                    \
    } while (0)

static __always_inline int event_filtered(u32 type) {
    LEDGER_COUNT(type, filtered);
    return 0;
}

// Someone wants it, and the governor gives it up.
static __always_inline int event_governed(u32 type) {
    LEDGER_COUNT(type, governed);
    return 0;
}

// It was told a while ago, and nobody wants it each time.
static __always_inline int event_folded(u32 type) {
    LEDGER_COUNT(type, folded);
    return 0;
}

static __always_inline int event_dropped(u32 type, enum drop_reason reason) {
    LEDGER_COUNT(type, dropped[reason]);
    return 0;
}

static __always_inline bool type_is_wanted(struct settings *now, u32 type) {
    return type < EVENT_TYPE_IDS_MAX && now->wanted_types[type / 64] >> (type % 64) & 1;
}

// Whether the reader has been away for so long that recording for it would only cost the host. Jiffies are one load;
// they stand still while the machine sleeps, as the reader does.
static __always_inline bool reader_is_gone(struct settings *now) {
    u32 beats = now->reader_beats;
    u64 noted = now->reader_noted;
    u32 jiffies = bpf_jiffies64();
    if (noted >> 32 == beats) return jiffies - (u32)noted > now->reader_gone_jiffies;
    now->reader_noted = (u64)beats << 32 | jiffies;
    return false;
}

// What of a type the governor gives up: enum governed.
static __always_inline u32 governed_of(u32 type) {
    struct settings *now = settings_read();
    return now && type < EVENT_TYPE_IDS_MAX ? now->governed[type] : 0;
}

// False, and counted, where the governor gives up the whole type.
static __always_inline bool event_affordable(u32 type) {
    if (!(governed_of(type) & GOVERNED_ALL)) return true;
    event_governed(type);
    return false;
}

// Counts an event as seen; false, and counted as filtered or dropped, where no one wants its type or no one reads.
static __always_inline bool event_wanted(u32 type) {
    struct settings *now = settings_read();
    if (!now || !now->active) return false;
    LEDGER_COUNT(type, seen);
    if (!type_is_wanted(now, type)) {
        event_filtered(type);
        return false;
    }
    if (!reader_is_gone(now)) return true;
    event_dropped(type, DROP_REASON_READER_GONE);
    return false;
}

// The same; false, too, and counted, where the governor gives its type up.
static __always_inline bool event_seen(u32 type) {
    return event_wanted(type) && event_affordable(type);
}
