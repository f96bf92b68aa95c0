// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Operations of io_uring: what is asked for is kept when it is submitted, and told when its result is there.
#pragma once

#include "dns_socket.h"
#include "opening.h"
#include "ring_request.h"

enum {
    // Requests under way at once that something is kept of; beyond, they are dropped, and counted.
    RING_CALLS_MAX = 4096,
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
    case RING_ACCEPT:
        return EVENT_ACCEPT;
    case RING_BIND:
        return EVENT_BIND;
    case RING_LISTEN:
        return EVENT_LISTEN;
    case RING_SHUTDOWN:
        return EVENT_SHUTDOWN;
    case RING_SEND:
    case RING_SEND_ZC:
    case RING_SENDMSG:
    case RING_SENDMSG_ZC:
        return EVENT_SEND;
    case RING_RECV:
    case RING_RECVMSG:
        return EVENT_RECEIVE;
    case RING_SETXATTR:
    case RING_FSETXATTR:
        return EVENT_SETXATTR;
    case RING_FTRUNCATE:
        return EVENT_TRUNCATE;
    default:
        return 0;
    }
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
           operation == RING_WRITEV_FIXED || operation == RING_SPLICE;
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

// Who is told of an operation when it is done; 0 where nobody is. Most messages are nobody's: nothing is kept of these.
static __always_inline u32 ring_wanted_type(struct io_kiocb *request, u32 operation, u32 flags, u32 *watched_by) {
    const u32 type = ring_event_type(operation);
    struct settings *now = settings_read();
    if (!type || !now) return 0;
    const bool is_wanted = type_is_wanted(now, type);
    if (type != EVENT_SEND && type != EVENT_RECEIVE) return is_wanted ? type : 0;
    // Of a slot in the ring's own table the file is not known yet.
    const bool is_slot = flags & RING_FIXED_FILE;
    struct file *file = is_slot ? NULL : descriptor_file(BPF_CORE_READ(request, cqe.fd));
    const bool is_dns = type_is_wanted(now, EVENT_DNS) && (is_slot || sock_can_be_dns(file_sock(file)));
    if (!is_wanted || !(is_slot || message_is_wanted(file))) return is_dns ? EVENT_DNS : 0;
    if (is_dns) *watched_by = EVENT_DNS;
    return type;
}

static __always_inline int ring_submitted(void *ctx, struct io_kiocb *request) {
    // Before 6.0 requests looked otherwise.
    if (!bpf_core_type_exists(struct io_cmd_data)) return 0;
    u32 operation = BPF_CORE_READ(request, opcode);
    if (ring_writes(operation)) return ring_write_submitted(ctx, request);
    const u32 flags = ring_flags(request);
    u32 watched_by = 0;
    u32 type = ring_wanted_type(request, operation, flags, &watched_by);
    if (!type) return 0;

    u64 key = (u64)request;
    u32 zero = 0;
    struct ring_request *nothing = bpf_map_lookup_elem(&ring_nothing, &zero);
    if (!nothing || bpf_map_update_elem(&ring_requests, &key, nothing, BPF_ANY)) {
        if (event_seen(type)) event_dropped(type, DROP_REASON_TOO_MANY_REQUESTS);
        return 0;
    }
    struct ring_request *kept = ring_request_of(key);
    if (!kept) return 0;
    kept->call.type = type;
    kept->call.watched_by = watched_by;
    kept->call.task = ring_task(request);
    kept->call.call = ring_keep(kept, request, operation, flags);
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

// When an event type has told an operation: the one that looks at it too has its turn, or it is forgotten.
static __always_inline int ring_told(void *ctx, void *programs, struct ring_request *kept, u64 request) {
    const u32 watched_by = kept->call.watched_by;
    kept->call.watched_by = 0;
    if (watched_by) bpf_tail_call(ctx, programs, watched_by);
    bpf_map_delete_elem(&ring_requests, &request);
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
        kept->call.file = (u64)BPF_CORE_READ((struct io_kiocb *)request, cmd.file);                                    \
        struct call_frame call = {.ring = &kept->call};                                                                \
        name##_call_returned(&call, BPF_CORE_READ((struct io_kiocb *)request, cqe.res));                               \
        return ring_told(ctx, &ring_done_programs, kept, (u64)request);                                                \
    }                                                                                                                  \
    SEC("tp_btf/io_uring_submit_req")                                                                                  \
    int BPF_PROG(ring_submitted_##name, void *request) {                                                               \
        if (!bpf_core_type_exists(struct io_cmd_data)) return 0;                                                       \
        struct ring_request *kept = ring_request_of((u64)request);                                                     \
        if (!kept) return 0;                                                                                           \
        struct call_frame call = {.ring = &kept->call};                                                                \
        name##_call_returned(&call, 0);                                                                                \
        return ring_told(ctx, &ring_submitted_programs, kept, (u64)request);                                           \
    }
