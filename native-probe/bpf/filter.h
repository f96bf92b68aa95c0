// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Whether a holder of interest could want an event. What cannot be told for sure passes: a filter may pass too much, it
// never drops what someone wants.
#pragma once

#include "path.h"
#include "socket.h"
#include "task.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, FILTER_GENERATIONS *EVENT_TYPE_IDS_MAX);
    __type(key, u32);
    __type(value, struct type_filter);
} filters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, FILTER_GENERATIONS);
    __type(key, u32);
    __type(value, struct filter_screen);
} filter_screens SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, FILTER_GENERATIONS *FILTER_KEYS_MAX);
    __type(key, struct filter_key);
    __type(value, struct filter_classes);
} filter_keys SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, FILTER_GENERATIONS *FILTER_PATHS_MAX);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct filter_path);
    __type(value, u32);
} filter_paths SEC(".maps");

// What a look-up says: the event passes, or its whole path must be looked up.
enum { FILTER_PASS = 1, FILTER_WALK = 2 };

// Odd numbers without a pattern, to spread the bits of names over the screen (the golden ratio's, and one of
// xxHash's).
#define FILTER_HASH_WORD 0x9E3779B97F4A7C15ULL
#define FILTER_HASH_SALT 0xC2B2AE3D27D4EB4FULL

// The filter of an event's type, and the event's class. One generation is asked throughout.
struct filter {
    struct type_filter *row;
    struct filter_screen *screen;
    // Small: 5.10 counts the stack of three functions in steps of 32 bytes, and has 512 for all.
    u8 generation;
    u8 type;
    u8 class;
    // 1 << class
    u8 bit;
};

// For functions that the verifier looks at by themselves, where it would follow each call of each program before: that
// took seconds. They can be given numbers only (see path_walk), so they are told which filter is asked.
static __always_inline u32 filter_number(struct filter *filter) {
    return filter->generation << 16 | filter->type << 8 | filter->class;
}

// The filter of such a number; false where there is none, which cannot be.
static __always_inline bool filter_of_number(struct filter *filter, u32 number) {
    u32 generation = number >> 16, type = number >> 8 & 0xff, class = number & 0xff;
    u32 key = generation * EVENT_TYPE_IDS_MAX + type;
    struct type_filter *row = bpf_map_lookup_elem(&filters, &key);
    // One key for both: the stack is short.
    key = generation;
    struct filter_screen *screen = bpf_map_lookup_elem(&filter_screens, &key);
    *filter = (struct filter){row, screen, generation, type, class, 1 << class};
    return row && screen;
}

// What a class alone says: nothing of it is wanted, everything, or what the event's keys tell.
enum filter_choice { FILTER_NOTHING, FILTER_EVERYTHING, FILTER_BY_KEYS };

// For programs that fold what is wanted no more than now and then.
static __always_inline enum filter_choice filter_begin_folding(struct filter *filter, u32 type, u32 class) {
    struct settings *now = settings_read();
    u32 generation = now ? now->filter_generation % FILTER_GENERATIONS : 0;
    u32 key = generation * EVENT_TYPE_IDS_MAX + type;
    struct type_filter *row = bpf_map_lookup_elem(&filters, &key);
    struct filter_screen *screen = bpf_map_lookup_elem(&filter_screens, &generation);
    if (!row || !screen || row->everything >> class & 1) return FILTER_EVERYTHING;
    *filter = (struct filter){row, screen, generation, type, class, 1 << class};
    return (row->paths | row->commands | row->ports) & filter->bit ? FILTER_BY_KEYS : FILTER_NOTHING;
}

// For all others: who wants an event now and then gets it each time.
static __always_inline enum filter_choice filter_begin(struct filter *filter, u32 type, u32 class) {
    enum filter_choice choice = filter_begin_folding(filter, type, class);
    return choice != FILTER_EVERYTHING && filter->row->folded & filter->bit ? FILTER_EVERYTHING : choice;
}

static __always_inline u32 filter_ask(struct filter *filter, struct filter_key *key, u32 kind) {
    key->generation = filter->generation;
    key->type = filter->type;
    key->kind = kind;
    struct filter_classes *classes = bpf_map_lookup_elem(&filter_keys, key);
    if (!classes) return 0;
    if (classes->pass & filter->bit) return FILTER_PASS;
    return classes->walk & filter->bit ? FILTER_WALK : 0;
}

static __always_inline bool filter_passes_command(struct filter *filter) {
    if (!(filter->row->commands & filter->bit)) return false;
    struct filter_key key = {};
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct task_struct *leader = BPF_CORE_READ(task, group_leader);
    bpf_probe_read_kernel_str(key.name, sizeof(leader->comm), &leader->comm);
    return filter_ask(filter, &key, FILTER_COMMAND);
}

// ---- Sockets

static __always_inline u32 filter_socket_kind(u16 family) {
    if (family == AF_UNIX) return FILTER_SOCKET_UNIX;
    if (family == AF_INET) return FILTER_SOCKET_IPV4;
    return family == AF_INET6 ? FILTER_SOCKET_IPV6 : FILTER_SOCKET_OTHER;
}

static __always_inline u32 filter_socket_class(u16 family, long result) {
    return filter_socket_kind(family) | (result < 0 ? FILTER_CLASS_FAILED : 0);
}

static __always_inline u32 filter_port(struct endpoint *end) {
    return end->address.length ? end->port : FILTER_NO_PORT;
}

static __always_inline bool filter_passes_port(struct filter *filter, u32 kind, u32 port, u8 others) {
    struct filter_key key = {.generation = filter->generation, .type = filter->type, .kind = kind};
    __builtin_memcpy(key.name, &port, sizeof(port));
    struct filter_classes *classes = bpf_map_lookup_elem(&filter_keys, &key);
    return (classes ? classes->pass : others) & filter->bit;
}

// Of an event with two ends: whether it is wanted by a port, or by who acted.
static __always_inline bool filter_passes_ends(struct filter *filter, u32 local_port, u32 remote_port) {
    if (filter_passes_command(filter)) return true;
    if (!(filter->row->ports & filter->bit)) return false;
    return filter_passes_port(filter, FILTER_REMOTE_PORT, remote_port, filter->row->other_remote_ports) ||
           filter_passes_port(filter, FILTER_LOCAL_PORT, local_port, filter->row->other_local_ports);
}

// ---- Paths

// The last component of a path or one before it.
struct filter_name {
    // Its first bytes, filled up with zeros.
    u64 word;
    u32 length;
    struct dentry *parent;
    const unsigned char *text;
};

// What is read of a dentry at once; where its name is short, it stands behind d_inode.
struct filter_dentry {
    struct dentry_piece piece;
    u64 inode;
    u64 word;
};

// The first `length` of 8 bytes; the first byte is the lowest.
static __always_inline u64 filter_first_bytes(u64 word, u32 length) {
    return length >= 8 ? word : word & ((1ULL << (8 * (length & 7))) - 1);
}

static __always_inline void filter_read_name(struct filter_name *name, struct dentry *dentry) {
    struct filter_dentry read = {};
    const u64 parent_at = bpf_core_field_offset(dentry->d_parent);
    const u64 inode_at = bpf_core_field_offset(dentry->d_inode);
    const bool is_as_known =
        inode_at - parent_at == __builtin_offsetof(struct filter_dentry, inode) &&
        bpf_core_field_offset(dentry->d_name.name) - parent_at == __builtin_offsetof(struct dentry_piece, name);
    if (is_as_known)
        bpf_core_read(&read, sizeof(read), &dentry->d_parent);
    else
        read.piece = dentry_read(dentry);
    name->text = read.piece.name;
    if (!is_as_known || (const void *)name->text != (const void *)dentry + inode_at + sizeof(read.inode))
        bpf_probe_read_kernel(&read.word, sizeof(read.word), name->text);
    name->parent = read.piece.parent;
    name->length = read.piece.hash_and_length >> 32;
    name->word = filter_first_bytes(read.word, name->length);
}

// Whether the screen has the bit of a key. A name is in the hash by its length and first 8 bytes.
static __always_inline bool filter_screened(struct filter *filter, u32 kind, u64 word, u32 length) {
    u64 salt = (u64)length << 24 | filter->type << 16 | kind << 8 | filter->class;
    u64 hash = (word * FILTER_HASH_WORD ^ salt) * FILTER_HASH_SALT;
    hash = (hash ^ hash >> 29) * FILTER_HASH_WORD;
    u32 bit = hash >> 48;
    return filter->screen->bits[bit / 64] >> (bit % 64) & 1;
}

static __always_inline u32 filter_ask_leaf_name(struct filter *filter, struct filter_name *name) {
    if (!filter_screened(filter, FILTER_LEAF, name->word, name->length)) return 0;
    struct filter_key key = {.length = name->length};
    u32 size = name->length < sizeof(key.name) ? name->length : sizeof(key.name);
    barrier_var(size);
    if (size > sizeof(key.name) || bpf_probe_read_kernel(key.name, size, name->text)) return FILTER_PASS;
    return filter_ask(filter, &key, FILTER_LEAF);
}

// How a name begins or ends: `bytes` are so many of it.
static __always_inline u32 filter_ask_part(struct filter *filter, u32 kind, u64 bytes, u32 length) {
    if (!filter_screened(filter, kind, bytes, length)) return 0;
    struct filter_key key = {.length = length};
    __builtin_memcpy(key.name, &bytes, sizeof(bytes));
    return filter_ask(filter, &key, kind);
}

// The last 8 bytes of a name, the very last one the highest; zeros come before a shorter one.
static __always_inline u64 filter_last_bytes(struct filter_name *name) {
    u64 word = name->word;
    if (name->length < 8) return name->length ? word << (8 * (8 - (name->length & 7))) : 0;
    if (name->length > 8) bpf_probe_read_kernel(&word, sizeof(word), name->text + name->length - 8);
    return word;
}

__noinline int filter_ask_begins(u32 number, u64 word, u32 name_length) {
    struct filter filter;
    u32 answer = 0;
    if (!filter_of_number(&filter, number)) return FILTER_PASS;
#pragma unroll
    for (int i = 0; i < FILTER_LENGTHS_MAX; i++) {
        u32 length = filter.row->begin_lengths[i];
        if (!length || length > name_length || answer & FILTER_PASS) continue;
        answer |= filter_ask_part(&filter, FILTER_LEAF_BEGIN, filter_first_bytes(word, length), length);
    }
    return answer;
}

// `word` has the last bytes of the name.
__noinline int filter_ask_ends(u32 number, u64 word, u32 name_length) {
    struct filter filter;
    u32 answer = 0;
    if (!filter_of_number(&filter, number)) return FILTER_PASS;
#pragma unroll
    for (int i = 0; i < FILTER_LENGTHS_MAX; i++) {
        u32 length = filter.row->end_lengths[i];
        if (!length || length > name_length || answer & FILTER_PASS) continue;
        u64 bytes = word >> (8 * ((8 - length) & 7));
        answer |= filter_ask_part(&filter, FILTER_LEAF_END, bytes, length);
    }
    return answer;
}

static __always_inline u32 filter_ask_leaf(struct filter *filter, struct filter_name *name) {
    u32 answer = filter_ask_leaf_name(filter, name);
    if (answer & FILTER_PASS) return answer;
    const u32 number = filter_number(filter);
    if (filter->row->begin_lengths[0]) answer |= filter_ask_begins(number, name->word, name->length);
    if (answer & FILTER_PASS) return answer;
    if (filter->row->end_lengths[0]) answer |= filter_ask_ends(number, filter_last_bytes(name), name->length);
    return answer;
}

enum {
    // Of so many directories above a leaf the screen is asked. What lies deeper, which is little, is looked up as a
    // whole, which is as right and takes longer; the verifier goes through each step (see PATH_STEPS_AT_ONCE).
    FILTER_STEPS_MAX = 16,
};

// The way up from where the leaf was. What the screen shows here is a directory that someone names: the whole path has
// to be looked up.
__noinline int filter_ask_above(u32 number, u64 dentry, u64 mount, u64 mount_root) {
    struct path_place place = {(void *)dentry, (void *)mount, (void *)mount_root};
    struct filter filter;
    if (!filter_of_number(&filter, number)) return FILTER_PASS;
    const bool all_the_way = filter.row->ancestors & filter.bit;
    u32 kind = filter.row->parents & filter.bit ? FILTER_PARENT : FILTER_ANCESTOR;
    for (int step = 0; step < FILTER_STEPS_MAX; step++) {
        if (place.dentry == place.mount_root) {
            if (!path_leave_mount(&place)) return 0;
            continue;
        }
        struct filter_name name;
        filter_read_name(&name, place.dentry);
        if (filter_screened(&filter, kind, name.word, name.length)) return FILTER_WALK;
        if (!all_the_way) return 0;
        if (kind == FILTER_PARENT && filter_screened(&filter, FILTER_ANCESTOR, name.word, name.length))
            return FILTER_WALK;
        kind = FILTER_ANCESTOR;
        if (!name.parent || name.parent == place.dentry) return 0;
        place.dentry = name.parent;
    }
    return FILTER_WALK;
}

enum {
    // Where in a buffer a path ends that is written from its end, and where the key for it is made.
    FILTER_PATH_END = 8192,
    FILTER_KEY_AT = 12288,
};

enum filter_written { FILTER_WRITTEN_PART, FILTER_WRITTEN_WHOLE, FILTER_TOO_DEEP };

// Writes some components of a path before what is written of it.
__noinline int filter_write_steps(u32 slot) {
    struct record *buffer = bpf_map_lookup_elem(&scratch, &slot);
    if (!buffer) return FILTER_TOO_DEEP;
    struct path_place place = buffer->place;
    for (int step = 0; step < PATH_STEPS_AT_ONCE; step++) {
        if (place.dentry == place.mount_root) {
            if (!path_leave_mount(&place)) return FILTER_WRITTEN_WHOLE;
            continue;
        }
        struct dentry_piece piece = dentry_read(place.dentry);
        u64 length = piece.hash_and_length >> 32;
        u64 at = buffer->size - length - 1;
        barrier_var(length);
        barrier_var(at);
        if (length >= NAME_SIZE_MAX || at > FILTER_PATH_END || at < FILTER_PATH_END - PATH_SIZE_MAX)
            return FILTER_TOO_DEEP;
        if (length) {
            buffer->bytes[at] = '/';
            if (bpf_probe_read_kernel(buffer->bytes + at + 1, length, piece.name)) return FILTER_TOO_DEEP;
            buffer->size = at;
        }
        if (!piece.parent || piece.parent == place.dentry) return FILTER_WRITTEN_WHOLE;
        place.dentry = piece.parent;
    }
    buffer->place = place;
    return FILTER_WRITTEN_PART;
}

// Writes the path before FILTER_PATH_END; size is where it begins. False where it is deeper than is walked.
static __always_inline bool filter_write_path(struct record *buffer) {
    buffer->size = FILTER_PATH_END;
    for (int step = 0; step < PATH_STEPS_MAX; step += PATH_STEPS_AT_ONCE) {
        const int written = filter_write_steps(buffer->slot);
        if (written != FILTER_WRITTEN_PART) return written == FILTER_WRITTEN_WHOLE;
    }
    return false;
}

// Looks the whole path up among the beginnings of paths.
__noinline int filter_look_up_path(u32 number, u64 dentry, u64 mount, u64 mount_root) {
    struct filter filter;
    if (!filter_of_number(&filter, number)) return FILTER_PASS;
    struct record *buffer = record_free();
    if (!buffer) return FILTER_PASS;
    buffer->place = (struct path_place){(void *)dentry, (void *)mount, (void *)mount_root};
    u32 answer = FILTER_PASS;
    struct filter_path *key = (void *)buffer->bytes + FILTER_KEY_AT;
    buffer->bytes[FILTER_PATH_END] = 0;
    if (filter_write_path(buffer)) {
        u64 at = buffer->size;
        barrier_var(at);
        u64 size = FILTER_PATH_END + 1 - at;
        if (at <= FILTER_PATH_END && at >= FILTER_PATH_END - PATH_SIZE_MAX &&
            !bpf_probe_read_kernel(key->path, sizeof(key->path), buffer->bytes + at)) {
            if (size > sizeof(key->path)) size = sizeof(key->path);
            key->prefix_bits = 8 * (__builtin_offsetof(struct filter_path, path) - sizeof(key->prefix_bits) + size);
            key->generation = filter.generation;
            key->type = filter.type;
            u32 *classes = bpf_map_lookup_elem(&filter_paths, key);
            answer = classes && *classes & filter.bit ? FILTER_PASS : 0;
        }
    }
    record_give_back(buffer);
    return answer;
}

// Comes to the dentry whose name is the path's last component; false where it has none, as the root and pipes.
static __always_inline bool filter_read_leaf(struct filter_name *name, struct path_place *place) {
    if (place->dentry == place->mount_root && !path_leave_mount(place)) return false;
    // A mount on a mount's root: it would take a loop to tell.
    if (place->dentry == place->mount_root) return false;
    filter_read_name(name, place->dentry);
    return name->length != 0;
}

__noinline int filter_ask_path(u32 number, u64 dentry, u64 vfsmount) {
    struct path_place leaf = path_begin((struct dentry *)dentry, (struct vfsmount *)vfsmount);
    struct filter filter;
    struct filter_name name;
    if (!filter_of_number(&filter, number) || !filter_read_leaf(&name, &leaf)) return FILTER_PASS;
    const u64 mount = (u64)leaf.mount, mount_root = (u64)leaf.mount_root;

    u32 answer = filter_ask_leaf(&filter, &name);
    if (!answer && filter.row->walks & filter.bit) answer = FILTER_WALK;
    const bool has_parent = name.parent && name.parent != leaf.dentry;
    if (!answer && (filter.row->parents | filter.row->ancestors) & filter.bit && has_parent)
        answer = filter_ask_above(number, (u64)name.parent, mount, mount_root);
    if (answer & FILTER_PASS) return FILTER_PASS;
    return answer & FILTER_WALK ? filter_look_up_path(number, (u64)leaf.dentry, mount, mount_root) : 0;
}

// Of an event that acts on what a path leads to: whether it is wanted by its path, or by who acted.
static __always_inline bool filter_passes_path(struct filter *filter, struct path *from) {
    if (filter->row->paths & filter->bit) {
        struct path path = {};
        bpf_core_read(&path, sizeof(path), from);
        if (!path.dentry || filter_ask_path(filter_number(filter), (u64)path.dentry, (u64)path.mnt)) return true;
    }
    return filter_passes_command(filter);
}

// The same of a descriptor's file; NULL where there is none, or none any more.
static __always_inline bool filter_passes_file(struct filter *filter, struct file *file) {
    if (file) return filter_passes_path(filter, &file->f_path);
    return filter->row->paths & filter->bit || filter_passes_command(filter);
}
