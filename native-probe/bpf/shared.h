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
    // Threads whose last known ids, capabilities and namespaces are kept, so that a change of them can say what they
    // were before; the one used longest ago goes. 200 bytes each.
    KNOWN_THREADS_MAX = 8192,
};

// Filters are made of an interest (nightjar.event.v1.TypeInterest), which says what classes are. There are two
// generations of them: the one in force, and the one that is being written.
enum {
    FILTER_GENERATIONS = 2,
    // Of one generation. What exceeds them is wanted whole.
    FILTER_KEYS_MAX = 8192,
    FILTER_PATHS_MAX = 4096,
    // Of a name, so many bytes are compared, and its length.
    FILTER_NAME_SIZE = 24,
    // How names begin and end is compared up to here, in so many lengths a type.
    FILTER_END_SIZE_MAX = 8,
    FILTER_LENGTHS_MAX = 2,
    // A multiple of 8 below the kernel's limit for a key, LPM_DATA_SIZE_MAX.
    FILTER_PATH_SIZE = 248,
    // A power of two.
    FILTER_SCREEN_BITS = 65536,
    // Where an end of a socket has no address.
    FILTER_NO_PORT = 65536,
    // Stands for no event type: its paths are the sensitive ones, which the governor gives up last.
    FILTER_SENSITIVE = EVENT_TYPE_IDS_MAX - 1,
};

// What the governor gives up of an event type while the sensor is over its budget: bits of settings.governed.
enum governed {
    // All that comes so far as to be told. Of types that no filter is asked about, that is all of them.
    GOVERNED_ALL = 1,
    // The same, behind the filters.
    GOVERNED_WANTED = 2,
    // Behind the filters, all but one of GOVERNED_SAMPLE.
    GOVERNED_SAMPLED = 4,
    // What has two ends, and only those want who fold it.
    GOVERNED_FOLDED = 8,
    // Opens that do not write: of programs that open much, sampled; and all.
    GOVERNED_NOISY_READS = 16,
    GOVERNED_READS = 32,
    // What writes to files elsewhere than at the sensitive paths.
    GOVERNED_ELSEWHERE = 64,
};

enum {
    GOVERNED_SAMPLE = 16,
    // A program (an executable in a cgroup) opens much when it does so more often in a second.
    GOVERNED_READS_PER_S = 50,
    // Programs whose opens are counted; beyond, the one longest idle is forgotten, and begins anew.
    GOVERNED_PROGRAMS_MAX = 1024,
};

// Of classes: the call failed.
enum { FILTER_CLASS_FAILED = 4, FILTER_CLASSES = 8 };
enum filter_open_kind { FILTER_OPEN_READS = 1, FILTER_OPEN_WRITES = 2 };
enum filter_socket_kind { FILTER_SOCKET_OTHER, FILTER_SOCKET_UNIX, FILTER_SOCKET_IPV4, FILTER_SOCKET_IPV6 };

// What a key is compared with.
enum filter_kind {
    // The last component of a path, how it begins and ends.
    FILTER_LEAF,
    FILTER_LEAF_BEGIN,
    FILTER_LEAF_END,
    // The component before it, any component before it: only in the screen.
    FILTER_PARENT,
    FILTER_ANCESTOR,
    FILTER_COMMAND,
    FILTER_REMOTE_PORT,
    FILTER_LOCAL_PORT,
};

// A key of the map `filter_keys`. Names are filled up with zeros; a port stands in `name` as a number.
struct filter_key {
    __u8 generation;
    __u8 type;
    __u8 kind;
    // Of the whole name, in bytes; 0 with ports and commands.
    __u8 length;
    __u8 unused[4];
    char name[FILTER_NAME_SIZE];
};

// Classes of the events that the key lets pass, and of those of which the whole path must be looked up.
struct filter_classes {
    __u8 pass;
    __u8 walk;
    __u8 unused[2];
};

// A key of the map `filter_paths`: the beginning of a path, or all of it with its NUL. Its value are classes that pass.
struct filter_path {
    __u32 prefix_bits;
    __u8 generation;
    __u8 type;
    char path[FILTER_PATH_SIZE];
    // The compiler would add them.
    __u8 unused[2];
};

// An entry of the map `filters`, whose key is the generation times EVENT_TYPE_IDS_MAX plus the type. All but the
// lengths are sets of classes.
struct type_filter {
    __u8 everything;
    // Classes of which some are wanted by their path, by command, by port.
    __u8 paths;
    __u8 commands;
    __u8 ports;
    __u8 other_remote_ports;
    __u8 other_local_ports;
    // Classes with keys of the kinds FILTER_PARENT and FILTER_ANCESTOR, and those whose paths are always looked up.
    __u8 parents;
    __u8 ancestors;
    __u8 walks;
    // Of keys of the kinds FILTER_LEAF_BEGIN and FILTER_LEAF_END; 0 behind the last.
    __u8 begin_lengths[FILTER_LENGTHS_MAX];
    __u8 end_lengths[FILTER_LENGTHS_MAX];
    // Classes of which some holder wants one event a key and window (fold.h).
    __u8 folded;
    __u8 unused[2];
};

// An entry of the map `filter_screens`, one a generation: a bit for the hash of each key of a path, so that most names
// need no look-up. The hash is in filter.h and in src/filters.ts.
struct filter_screen {
    __u64 bits[FILTER_SCREEN_BITS / 64];
};

// Which messages are wanted, by the socket they pass through, as bits of settings.message_interest.
enum message_interest {
    MESSAGES_TCP = 1,
    // Over IP, but not TCP: UDP, ICMP, raw.
    MESSAGES_DATAGRAM = 2,
    MESSAGES_UNIX = 4,
    // netlink, packet and all others, and what is no socket.
    MESSAGES_OTHER = 8,
};

enum {
    // Ports at which DNS servers are looked for.
    DNS_PORTS_MAX = 4,
    // How much of a message's data an event can carry, in bytes.
    MESSAGE_DATA_SIZE_MAX = 4096,
};

// The one entry of the map `settings`.
struct settings {
    // A bit for each event type that someone wants.
    __u64 wanted_types[EVENT_TYPE_IDS_MAX / 64];
    // A bit for each system call, of any ABI, that a program of a wanted type handles: others cost next to nothing.
    __u64 syscalls[SYSCALLS_MAX / 64];
    // Of the filters in force.
    __u32 filter_generation;
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
    // Environments of programs that start are recorded.
    __u32 environment_wanted;
    // What is known of threads is whole from this moment on (CLOCK_BOOTTIME in ns): all that changes it has been wanted
    // since. 0 where it is not.
    __u64 threads_known_since_ns;
    // Which openings of files were written to is known of what happened from this moment on (CLOCK_BOOTTIME in ns): the
    // event type that watches them has been wanted since. 0 where it is not.
    __u64 openings_watched_since_ns;
    // enum message_interest
    __u32 message_interest;
    // How many of a message's first bytes are wanted; at most MESSAGE_DATA_SIZE_MAX.
    __u32 message_data_size;
    // 0 where there are fewer.
    __u16 dns_ports[DNS_PORTS_MAX];
    // What is folded is told once a key in so long.
    __u32 fold_window_s;
    // enum governed, by event type.
    __u8 governed[EVENT_TYPE_IDS_MAX];
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

// An entry of the map `ledger`, whose key is the event type: seen = filtered + governed + folded + submitted +
// dropped.
struct ledger_counts {
    __u64 seen;
    __u64 filtered;
    __u64 governed;
    __u64 folded;
    __u64 submitted;
    __u64 dropped[DROP_REASONS];
};
