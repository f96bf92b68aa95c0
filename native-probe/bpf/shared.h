// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What the kernel programs and the addon both know of the maps; fixed-size types that mean the same on both sides.
#pragma once

enum {
    // System call numbers from here on are not looked at. The highest today is below 480.
    SYSCALLS_MAX = 512,
    // Event types that can report one system call.
    SYSCALL_TYPES_MAX = 4,
    // i386's call for all that sockets do, and how many things that are.
    I386_SOCKETCALL = 102,
    SOCKETCALLS_MAX = 32,
    SOCKETCALL_FIRST = SYSCALLS_MAX,
    CALL_ENTRIES_MAX = SOCKETCALL_FIRST + SOCKETCALLS_MAX,
    // Of the sensor's own processes: a handful, and room for what they start.
    OWN_PROCESSES_MAX = 256,
};

// Which opens are wanted, as bits of settings.open_interest.
enum open_interest {
    OPEN_READS = 1,
    OPEN_WRITES = 2,
    OPEN_FAILURES = 4,
};

// The one entry of the map `settings`.
struct settings {
    // A bit for each event type that someone wants.
    __u64 wanted_types[EVENT_TYPE_IDS_MAX / 64];
    // A bit for each system call, of any ABI, that a program of a wanted type handles: others cost next to nothing.
    __u64 syscalls[SYSCALLS_MAX / 64];
    // enum open_interest
    __u32 open_interest;
    // The reader does not poll: whoever puts something into the ring wakes it.
    __u32 reader_sleeps;
    // Whether this set of programs records: not yet while another still does, not any more when another took over. A
    // newer addon finds it by this name.
    __u32 active;
    // The reader counts it up while it lives.
    __u32 reader_beats;
    // The programs' note: the beat they saw last, above the low half of the jiffies at which they first saw it. One
    // word, so that the two are always of the same moment.
    __u64 reader_noted;
    // After so many jiffies without a beat nobody reads the ring.
    __u32 reader_gone_jiffies;
    __u32 unused;
};

// What is known of a system call in one ABI.
struct call_entry {
    // enum call
    __u16 call;
    // Event types whose programs report the call, in that order; 0 behind the last.
    __u16 types[SYSCALL_TYPES_MAX];
    // In an ABI of 32 bits it has other structures in memory than a program reads, so it can only be counted.
    __u16 differs;
};

// An entry of the map `syscalls`, whose key is the number, or SOCKETCALL_FIRST and what i386's socketcall is to do.
struct syscall_entry {
    struct call_entry native;
    // The call that has this number in the 32-bit ABI.
    struct call_entry narrow;
};

// An entry of the map `ledger`, whose key is the event type: seen = filtered + submitted + dropped.
struct ledger_counts {
    __u64 seen;
    __u64 filtered;
    __u64 submitted;
    __u64 dropped[DROP_REASONS];
};
