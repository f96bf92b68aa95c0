// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports what the kernel is asked to run, keep and share through bpf(2), and each try.
#include "bpf_object.h"
#include "path.h"
#include "syscall.h"

struct bpf_event {
    struct event_header header;
    u32 command;
    s32 fd;
    u8 object;
    u32 object_id;
    struct text name;
    u32 program_type;
    u32 map_type;
    u32 instructions;
    u32 attach_type;
    s32 target_fd;
    struct text target;
    struct text path;
    u8 targets_sensor;
};

EVENT_RECORD(bpf, EVENT_BPF)

// Of enum bpf_cmd (include/uapi/linux/bpf.h), those that something is read of.
enum bpf_command {
    COMMAND_MAP_CREATE = 0,
    COMMAND_MAP_LOOKUP = 1,
    COMMAND_MAP_UPDATE = 2,
    COMMAND_MAP_DELETE = 3,
    COMMAND_MAP_NEXT_KEY = 4,
    COMMAND_PROGRAM_LOAD = 5,
    COMMAND_PIN = 6,
    COMMAND_GET = 7,
    COMMAND_ATTACH = 8,
    COMMAND_DETACH = 9,
    COMMAND_PROGRAM_RUN = 10,
    COMMAND_PROGRAM_BY_ID = 13,
    COMMAND_MAP_BY_ID = 14,
    COMMAND_INFO = 15,
    COMMAND_TRACEPOINT = 17,
    COMMAND_BTF_LOAD = 18,
    COMMAND_BTF_BY_ID = 19,
    COMMAND_MAP_LOOKUP_AND_DELETE = 21,
    COMMAND_MAP_FREEZE = 22,
    COMMAND_MAP_LOOKUP_BATCH = 24,
    COMMAND_MAP_LOOKUP_AND_DELETE_BATCH = 25,
    COMMAND_MAP_UPDATE_BATCH = 26,
    COMMAND_MAP_DELETE_BATCH = 27,
    COMMAND_LINK_CREATE = 28,
    COMMAND_LINK_UPDATE = 29,
    COMMAND_LINK_BY_ID = 30,
    COMMAND_ITERATE = 33,
    COMMAND_LINK_DETACH = 34,
    COMMAND_BIND_MAP = 35,
};
#define COMMANDS_BIT(command) (1ULL << (command))

// What they act on is their result.
static const u64 COMMANDS_MAKING = COMMANDS_BIT(COMMAND_MAP_CREATE) | COMMANDS_BIT(COMMAND_PROGRAM_LOAD) |
                                   COMMANDS_BIT(COMMAND_GET) | COMMANDS_BIT(COMMAND_TRACEPOINT) |
                                   COMMANDS_BIT(COMMAND_BTF_LOAD) | COMMANDS_BIT(COMMAND_LINK_CREATE) |
                                   COMMANDS_BIT(COMMAND_PROGRAM_BY_ID) | COMMANDS_BIT(COMMAND_MAP_BY_ID) |
                                   COMMANDS_BIT(COMMAND_BTF_BY_ID) | COMMANDS_BIT(COMMAND_LINK_BY_ID);
// What they act on is the descriptor that is the first of their attributes; of batches it is another.
static const u64 COMMANDS_OF_ELEMENTS = COMMANDS_BIT(COMMAND_MAP_LOOKUP) | COMMANDS_BIT(COMMAND_MAP_UPDATE) |
                                        COMMANDS_BIT(COMMAND_MAP_DELETE) | COMMANDS_BIT(COMMAND_MAP_NEXT_KEY) |
                                        COMMANDS_BIT(COMMAND_MAP_LOOKUP_AND_DELETE);
static const u64 COMMANDS_OF_BATCHES = COMMANDS_BIT(COMMAND_MAP_LOOKUP_BATCH) |
                                       COMMANDS_BIT(COMMAND_MAP_LOOKUP_AND_DELETE_BATCH) |
                                       COMMANDS_BIT(COMMAND_MAP_UPDATE_BATCH) | COMMANDS_BIT(COMMAND_MAP_DELETE_BATCH);
static const u64 COMMANDS_OF_FIRST = COMMANDS_BIT(COMMAND_MAP_FREEZE) | COMMANDS_BIT(COMMAND_PROGRAM_RUN) |
                                     COMMANDS_BIT(COMMAND_INFO) | COMMANDS_BIT(COMMAND_LINK_UPDATE) |
                                     COMMANDS_BIT(COMMAND_ITERATE) | COMMANDS_BIT(COMMAND_LINK_DETACH) |
                                     COMMANDS_BIT(COMMAND_BIND_MAP);

// union bpf_attr, as far as it is read; its members do not move.
union bpf_attributes {
    u32 words[32];
    struct {
        u32 type, key_size, value_size, max_entries, flags, inner_map_fd, numa_node;
        char name[BPF_NAME_SIZE];
    } map;
    struct {
        u32 type, instructions;
        u64 instructions_at, license_at;
        u32 log_level, log_size;
        u64 log_at;
        u32 kernel_version, flags;
        char name[BPF_NAME_SIZE];
        u32 interface, attach_type;
    } program;
    struct {
        u64 path;
        u32 fd;
    } pin;
    struct {
        u32 target_fd, program_fd, type;
    } attach;
    struct {
        u64 name;
        u32 program_fd;
    } tracepoint;
    struct {
        u64 in_batch, out_batch, keys, values;
        u32 count, map_fd;
    } batch;
    struct {
        u32 program_fd, target_fd, attach_type;
    } link;
};

static __always_inline bool command_in(u32 command, u64 commands) {
    return command < 64 && (commands >> command & 1);
}

static __always_inline void attributes_read(union bpf_attributes *attributes, const struct call_frame *frame) {
    u64 size = (u32)SYSCALL_ARGUMENT_2(frame);
    if (size > sizeof(*attributes)) size = sizeof(*attributes);
    barrier_var(size);
    if (size <= sizeof(*attributes)) bpf_probe_read_user(attributes, size, (const void *)SYSCALL_ARGUMENT_1(frame));
}

// The descriptor a command acts on, or made; -1 where there is none.
static __always_inline s32 command_descriptor(u32 command, const union bpf_attributes *attributes, long result) {
    if (command_in(command, COMMANDS_MAKING)) return result < 0 ? -1 : result;
    if (command_in(command, COMMANDS_OF_ELEMENTS | COMMANDS_OF_FIRST)) return attributes->words[0];
    if (command_in(command, COMMANDS_OF_BATCHES)) return attributes->batch.map_fd;
    if (command == COMMAND_PIN) return attributes->pin.fd;
    if (command == COMMAND_ATTACH || command == COMMAND_DETACH) return attributes->attach.program_fd;
    return -1;
}

// Of a command that names its object by number, what it is.
static __always_inline u32 command_object_type(u32 command) {
    switch (command) {
    case COMMAND_MAP_CREATE:
    case COMMAND_MAP_BY_ID:
        return BPF_OBJECT_TYPE_MAP;
    case COMMAND_PROGRAM_LOAD:
    case COMMAND_PROGRAM_BY_ID:
        return BPF_OBJECT_TYPE_PROGRAM;
    case COMMAND_BTF_LOAD:
    case COMMAND_BTF_BY_ID:
        return BPF_OBJECT_TYPE_BTF;
    case COMMAND_TRACEPOINT:
    case COMMAND_LINK_CREATE:
    case COMMAND_LINK_BY_ID:
        return BPF_OBJECT_TYPE_LINK;
    default:
        return BPF_OBJECT_TYPE_UNSPECIFIED;
    }
}

static __always_inline bool command_names_id(u32 command) {
    return command == COMMAND_PROGRAM_BY_ID || command == COMMAND_MAP_BY_ID || command == COMMAND_BTF_BY_ID ||
           command == COMMAND_LINK_BY_ID;
}

// What only the caller can tell.
static __noinline int bpf_attributes_fill(struct record *record, struct bpf_event *event,
                                          const union bpf_attributes *attributes) {
    event->target_fd = -1;
    if (event->command == COMMAND_PROGRAM_LOAD) {
        event->program_type = attributes->program.type;
        event->instructions = attributes->program.instructions;
        event->attach_type = attributes->program.attach_type;
        if (!event->name.length) record_kernel_string(record, &event->name, attributes->program.name, BPF_NAME_SIZE);
    } else if (event->command == COMMAND_MAP_CREATE) {
        event->map_type = attributes->map.type;
        if (!event->name.length) record_kernel_string(record, &event->name, attributes->map.name, BPF_NAME_SIZE);
    } else if (event->command == COMMAND_ATTACH || event->command == COMMAND_DETACH) {
        event->target_fd = attributes->attach.target_fd;
        event->attach_type = attributes->attach.type;
    } else if (event->command == COMMAND_LINK_CREATE) {
        event->target_fd = attributes->link.target_fd;
        event->attach_type = attributes->link.attach_type;
    } else if (event->command == COMMAND_TRACEPOINT) {
        record_user_string(record, &event->target, (const void *)attributes->tracepoint.name, NAME_SIZE_MAX);
    } else if (event->command == COMMAND_PIN || event->command == COMMAND_GET) {
        record_user_string(record, &event->path, (const void *)attributes->pin.path, PATH_SIZE_MAX);
    }
    return 0;
}

SYSCALL_PROGRAM(bpf, EVENT_BPF, frame, result) {
    if (!event_seen(EVENT_BPF)) return 0;
    union bpf_attributes attributes = {};
    u32 command = SYSCALL_ARGUMENT_0(frame);
    attributes_read(&attributes, frame);
    struct bpf_object_seen seen = {.type = command_object_type(command)};
    s32 fd = command_descriptor(command, &attributes, result);

    if (command_names_id(command)) seen.id = attributes.words[0];
    if (fd >= 0) bpf_object_see(&seen, fd);
    const bool is_own = task_is_own();
    const bool targets_sensor = !is_own && bpf_object_is_own(seen.type, seen.id);
    if (is_own || (!targets_sensor && command_in(command, COMMANDS_OF_ELEMENTS | COMMANDS_OF_BATCHES)))
        return event_filtered(EVENT_BPF);

    struct record *record;
    struct bpf_event *event = bpf_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->command = command;
    event->fd = fd;
    event->object = seen.type;
    event->object_id = seen.id;
    event->program_type = seen.program_type;
    event->map_type = seen.map_type;
    event->targets_sensor = targets_sensor;
    if (seen.name) record_kernel_string(record, &event->name, seen.name, BPF_NAME_SIZE);
    bpf_attributes_fill(record, event, &attributes);
    return record_submit(record);
}
