// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// eBPF's objects behind descriptors, and which of them are the sensor's own.
#pragma once

#include "descriptor.h"

enum { OWN_OBJECTS_MAX = 4096, BPF_NAME_SIZE = 16, ANON_INODE_MAGIC = 0x09041934 };

// The sensor's own programs, maps and links: what the object is (enum bpf_object_type) in the upper half, its number in
// the lower. The addon fills it.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, OWN_OBJECTS_MAX);
    __type(key, u64);
    __type(value, u8);
} own_objects SEC(".maps");

// An object the kernel has, whatever it is.
struct bpf_object_seen {
    u32 type;
    u32 id;
    // Of the program or the map; of a link its program's.
    const char *name;
    u32 program_type;
    u32 map_type;
};

static __always_inline bool bpf_object_is_own(u32 type, u32 id) {
    u64 key = (u64)type << 32 | id;
    return id && bpf_map_lookup_elem(&own_objects, &key);
}

static __always_inline void bpf_program_see(struct bpf_object_seen *seen, struct bpf_prog *program) {
    seen->name = BPF_CORE_READ(program, aux)->name;
    seen->program_type = BPF_CORE_READ(program, type);
}

// What the file of an object is called (anon_inode_getfile in kernel/bpf/): "bpf-map", "bpf-prog", "bpf_link", "btf".
static __always_inline u32 bpf_file_type(struct file *file) {
    char name[8] = {};
    if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != ANON_INODE_MAGIC) return BPF_OBJECT_TYPE_UNSPECIFIED;
    bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
    if (name[0] != 'b') return BPF_OBJECT_TYPE_UNSPECIFIED;
    if (name[1] == 't' && name[2] == 'f' && name[3] == 0) return BPF_OBJECT_TYPE_BTF;
    if (name[1] != 'p' || name[2] != 'f') return BPF_OBJECT_TYPE_UNSPECIFIED;
    if (name[4] == 'm' && name[5] == 'a') return BPF_OBJECT_TYPE_MAP;
    if (name[4] == 'p' && name[5] == 'r') return BPF_OBJECT_TYPE_PROGRAM;
    if (name[4] == 'l' && name[5] == 'i') return BPF_OBJECT_TYPE_LINK;
    return BPF_OBJECT_TYPE_UNSPECIFIED;
}

static __noinline int bpf_object_see(struct bpf_object_seen *seen, u32 fd) {
    struct file *file = descriptor_file(fd);
    if (!file) return 0;
    void *object = BPF_CORE_READ(file, private_data);

    seen->type = bpf_file_type(file);
    if (seen->type == BPF_OBJECT_TYPE_MAP) {
        struct bpf_map *map = object;
        seen->id = BPF_CORE_READ(map, id);
        seen->map_type = BPF_CORE_READ(map, map_type);
        seen->name = map->name;
    } else if (seen->type == BPF_OBJECT_TYPE_PROGRAM) {
        struct bpf_prog *program = object;
        seen->id = BPF_CORE_READ(program, aux, id);
        bpf_program_see(seen, program);
    } else if (seen->type == BPF_OBJECT_TYPE_LINK) {
        struct bpf_link *link = object;
        struct bpf_prog *program = BPF_CORE_READ(link, prog);
        seen->id = BPF_CORE_READ(link, id);
        if (program) bpf_program_see(seen, program);
    } else if (seen->type == BPF_OBJECT_TYPE_BTF) {
        seen->id = BPF_CORE_READ((struct btf *)object, id);
    }
    return 0;
}
