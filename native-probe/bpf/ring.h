// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Operations of io_uring: what is asked for is kept when it is submitted, and told when its result is there.
#pragma once

#include "opening.h"
#include "path.h"
#include "socket.h"
#include "syscall.h"

enum {
    // Requests under way at once that something is kept of; beyond, they are dropped, and counted.
    RING_CALLS_MAX = 4096,
    RING_TEXTS = 2,
    SOCKADDR_SIZE_MAX = 128,
};

// Of enum io_uring_op and of the flags of a submission (include/uapi/linux/io_uring.h).
enum {
    // O_LARGEFILE, which io_uring adds for every program of 64 bits.
    RING_ADDS_TO_FLAGS = 0100000,
    RING_WRITEV = 2,
    RING_WRITE_FIXED = 5,
    RING_CONNECT = 16,
    RING_OPENAT = 18,
    RING_WRITE = 23,
    RING_OPENAT2 = 28,
    RING_SPLICE = 30,
    RING_RENAMEAT = 35,
    RING_UNLINKAT = 36,
    RING_MKDIRAT = 37,
    RING_SYMLINKAT = 38,
    RING_LINKAT = 39,
    RING_SOCKET = 45,
    RING_FIXED_FILE = 1 << 0,
    // A success is not told to the process, nor by the tracepoint.
    RING_SKIP_SUCCESS = 1 << 6,
};

// A request under way, and copies of what its arguments point to: the process may have changed its own since.
struct ring_request {
    struct ring_call call;
    char texts[RING_TEXTS][PATH_SIZE_MAX];
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, RING_CALLS_MAX);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, u64);
    __type(value, struct ring_request);
} ring_requests SEC(".maps");

// What a request is before anything is known of it; nobody writes here.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct ring_request);
} ring_nothing SEC(".maps");

// The programs of the event types (RING_PROGRAM) that tell an operation when it is done, and when it is submitted.
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, EVENT_TYPE_IDS_MAX);
    __type(key, u32);
    __type(value, u32);
} ring_done_programs SEC(".maps"), ring_submitted_programs SEC(".maps");

static __always_inline struct ring_request *ring_request_of(u64 request) {
    return bpf_map_lookup_elem(&ring_requests, &request);
}

static __always_inline u64 ring_filename(struct ring_request *kept, u32 n, struct filename *filename) {
    bpf_probe_read_kernel_str(kept->texts[n], PATH_SIZE_MAX, BPF_CORE_READ(filename, name));
    return (u64)kept->texts[n];
}

// The event type that tells an operation; 0 where none does.
static __always_inline u32 ring_event_type(u32 operation) {
    switch (operation) {
    case RING_CONNECT:
        return EVENT_CONNECT;
    case RING_OPENAT:
    case RING_OPENAT2:
        return EVENT_OPEN;
    case RING_RENAMEAT:
        return EVENT_RENAME;
    case RING_UNLINKAT:
        return EVENT_UNLINK;
    case RING_MKDIRAT:
        return EVENT_MKDIR;
    case RING_SYMLINKAT:
        return EVENT_SYMLINK;
    case RING_LINKAT:
        return EVENT_LINK;
    case RING_SOCKET:
        return EVENT_SOCKET;
    default:
        return 0;
    }
}

// Operations on sockets.
static __noinline int ring_socket_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    u64 *arguments = kept->call.arguments;
    if (operation == RING_SOCKET) {
        struct io_socket *socket = (void *)&request->cmd;
        kept->call.call = CALL_SOCKET;
        kept->call.makes_no_descriptor = flags & RING_SKIP_SUCCESS || BPF_CORE_READ(socket, file_slot);
        arguments[0] = BPF_CORE_READ(socket, domain);
        arguments[1] = BPF_CORE_READ(socket, type) | BPF_CORE_READ(socket, flags);
        arguments[2] = BPF_CORE_READ(socket, protocol);
        return 0;
    }
    struct io_connect *connect = (void *)&request->cmd;
    u32 size = BPF_CORE_READ(connect, addr_len);
    kept->call.call = CALL_CONNECT;
    // A slot in the ring's own table is no descriptor.
    arguments[0] = flags & RING_FIXED_FILE ? -1 : BPF_CORE_READ(request, cqe.fd);
    arguments[1] = (u64)kept->texts[0];
    arguments[2] = size;
    barrier_var(size);
    if (size <= SOCKADDR_SIZE_MAX) bpf_probe_read_user(kept->texts[0], size, BPF_CORE_READ(connect, addr));
    return 0;
}

// Operations on names.
static __noinline int ring_names_keep(struct ring_request *kept, struct io_kiocb *request, u32 operation, u32 flags) {
    u64 *arguments = kept->call.arguments;
    if (operation == RING_OPENAT || operation == RING_OPENAT2) {
        struct io_open *open = (void *)&request->cmd;
        kept->call.call = CALL_OPENAT;
        kept->call.makes_no_descriptor = flags & RING_SKIP_SUCCESS || BPF_CORE_READ(open, file_slot);
        arguments[0] = BPF_CORE_READ(open, dfd);
        arguments[1] = ring_filename(kept, 0, BPF_CORE_READ(open, filename));
        arguments[2] = BPF_CORE_READ(open, how.flags) & ~RING_ADDS_TO_FLAGS;
        arguments[3] = BPF_CORE_READ(open, how.mode);
    } else if (operation == RING_UNLINKAT) {
        struct io_unlink *unlink = (void *)&request->cmd;
        kept->call.call = CALL_UNLINKAT;
        arguments[0] = BPF_CORE_READ(unlink, dfd);
        arguments[1] = ring_filename(kept, 0, BPF_CORE_READ(unlink, filename));
        arguments[2] = BPF_CORE_READ(unlink, flags);
    } else if (operation == RING_MKDIRAT) {
        struct io_mkdir *mkdir = (void *)&request->cmd;
        kept->call.call = CALL_MKDIRAT;
        arguments[0] = BPF_CORE_READ(mkdir, dfd);
        arguments[1] = ring_filename(kept, 0, BPF_CORE_READ(mkdir, filename));
        arguments[2] = BPF_CORE_READ(mkdir, mode);
    } else if (operation == RING_RENAMEAT) {
        struct io_rename *rename = (void *)&request->cmd;
        kept->call.call = CALL_RENAMEAT2;
        arguments[0] = BPF_CORE_READ(rename, old_dfd);
        arguments[1] = ring_filename(kept, 0, BPF_CORE_READ(rename, oldpath));
        arguments[2] = BPF_CORE_READ(rename, new_dfd);
        arguments[3] = ring_filename(kept, 1, BPF_CORE_READ(rename, newpath));
        arguments[4] = BPF_CORE_READ(rename, flags);
    } else {
        struct io_link *link = (void *)&request->cmd;
        const bool is_hard = operation == RING_LINKAT;
        u64 old_path = ring_filename(kept, 0, BPF_CORE_READ(link, oldpath));
        u64 new_path = ring_filename(kept, 1, BPF_CORE_READ(link, newpath));
        kept->call.call = is_hard ? CALL_LINKAT : CALL_SYMLINKAT;
        arguments[0] = is_hard ? (u64)BPF_CORE_READ(link, old_dfd) : old_path;
        arguments[1] = is_hard ? old_path : (u64)BPF_CORE_READ(link, new_dfd);
        arguments[2] = is_hard ? (u64)BPF_CORE_READ(link, new_dfd) : new_path;
        arguments[3] = new_path;
        arguments[4] = BPF_CORE_READ(link, flags);
    }
    return 0;
}

static __always_inline struct task_struct *ring_task(struct io_kiocb *request) {
    struct io_kiocb___before_6_13 *before_6_13 = (void *)request;
    if (bpf_core_field_exists(before_6_13->task)) return BPF_CORE_READ(before_6_13, task);
    return BPF_CORE_READ(request, tctx, task);
}

// The flags that a request was submitted with.
static __always_inline u32 ring_flags(struct io_kiocb *request) {
    u32 flags = 0;
    bpf_core_read(&flags, sizeof(flags), &((struct io_kiocb___with_wide_flags *)request)->flags);
    return flags;
}

static __always_inline bool ring_writes(u32 operation) {
    return operation == RING_WRITE || operation == RING_WRITEV || operation == RING_WRITE_FIXED ||
           operation == RING_SPLICE;
}

// Nothing is kept of a write: its request tells all when it is done. One that keeps its success to itself is told now.
static __always_inline int ring_write_submitted(void *ctx, struct io_kiocb *request) {
    struct settings *now = settings_read();
    const u32 flags = ring_flags(request);
    if (now && type_is_wanted(now, EVENT_FIRST_WRITE) && flags & RING_SKIP_SUCCESS && !(flags & RING_FIXED_FILE))
        bpf_tail_call(ctx, &ring_submitted_programs, EVENT_FIRST_WRITE);
    return 0;
}

// What the watch over openings has to know of a request that is done.
static __always_inline int ring_opening_watch(void *ctx, struct io_kiocb *request) {
    struct settings *now = settings_read();
    if (!bpf_core_type_exists(struct io_cmd_data) || !now || !type_is_wanted(now, EVENT_FIRST_WRITE)) return 0;
    const u32 operation = BPF_CORE_READ(request, opcode);
    if (ring_writes(operation)) bpf_tail_call(ctx, &ring_done_programs, EVENT_FIRST_WRITE);
    if (operation != RING_OPENAT && operation != RING_OPENAT2) return 0;
    struct io_open *open = (void *)&request->cmd;
    const s32 fd = BPF_CORE_READ(request, cqe.res);
    return fd < 0 || BPF_CORE_READ(open, file_slot) ? 0 : opening_begin(descriptor_file(fd));
}

static __always_inline int ring_submitted(void *ctx, struct io_kiocb *request) {
    // Before 6.0 requests looked otherwise.
    if (!bpf_core_type_exists(struct io_cmd_data)) return 0;
    u32 operation = BPF_CORE_READ(request, opcode);
    if (ring_writes(operation)) return ring_write_submitted(ctx, request);
    u32 type = ring_event_type(operation);
    struct settings *now = settings_read();
    if (!type || !now || !type_is_wanted(now, type)) return 0;

    u64 key = (u64)request;
    u32 zero = 0, flags = ring_flags(request);
    struct ring_request *nothing = bpf_map_lookup_elem(&ring_nothing, &zero);
    if (!nothing || bpf_map_update_elem(&ring_requests, &key, nothing, BPF_ANY)) {
        if (event_seen(type)) event_dropped(type, DROP_REASON_TOO_MANY_REQUESTS);
        return 0;
    }
    struct ring_request *kept = ring_request_of(key);
    if (!kept) return 0;
    kept->call.type = type;
    kept->call.task = ring_task(request);
    if (operation == RING_CONNECT || operation == RING_SOCKET)
        ring_socket_keep(kept, request, operation, flags);
    else
        ring_names_keep(kept, request, operation, flags);
    if (flags & RING_SKIP_SUCCESS) bpf_tail_call(ctx, &ring_submitted_programs, type);
    return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(ring_submit, struct io_kiocb *request) {
    return ring_submitted(ctx, request);
}

// Its name until 6.4 (2ad57931db64).
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(ring_submit_before_6_4, struct io_kiocb *request) {
    return ring_submitted(ctx, request);
}

// Where the second argument is none of the requests kept, as on kernels that pass something else, nothing is told.
SEC("tp_btf/io_uring_complete")
int BPF_PROG(ring_complete, void *ring_of_request, void *request) {
    ring_opening_watch(ctx, request);
    struct ring_request *kept = ring_request_of((u64)request);
    if (kept) bpf_tail_call(ctx, &ring_done_programs, kept->call.type);
    return 0;
}

// Defines the programs that tell an operation with the body of the event type's SYSCALL_PROGRAM, which comes before.
// Kernels before 6.0 have the tracepoints, but requests of another form: what they read is not there.
#define RING_PROGRAM(name)                                                                                             \
    SEC("tp_btf/io_uring_complete")                                                                                    \
    int BPF_PROG(ring_done_##name, void *ring_of_request, void *request) {                                             \
        if (!bpf_core_type_exists(struct io_cmd_data)) return 0;                                                       \
        struct ring_request *kept = ring_request_of((u64)request);                                                     \
        if (!kept) return 0;                                                                                           \
        struct call_frame call = {.ring = &kept->call};                                                                \
        name##_call_returned(&call, BPF_CORE_READ((struct io_kiocb *)request, cqe.res));                               \
        u64 key = (u64)request;                                                                                        \
        bpf_map_delete_elem(&ring_requests, &key);                                                                     \
        return 0;                                                                                                      \
    }                                                                                                                  \
    SEC("tp_btf/io_uring_submit_req")                                                                                  \
    int BPF_PROG(ring_submitted_##name, void *request) {                                                               \
        if (!bpf_core_type_exists(struct io_cmd_data)) return 0;                                                       \
        struct ring_request *kept = ring_request_of((u64)request);                                                     \
        if (!kept) return 0;                                                                                           \
        struct call_frame call = {.ring = &kept->call};                                                                \
        name##_call_returned(&call, 0);                                                                                \
        u64 key = (u64)request;                                                                                        \
        bpf_map_delete_elem(&ring_requests, &key);                                                                     \
        return 0;                                                                                                      \
    }
