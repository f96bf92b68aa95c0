// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// One program for all system calls: when one returns that event types report, their programs go on, one by one.
#pragma once

#include "task.h"

// The kernel's own numbers for errors that it turns into a restart or into EINTR behind the tracepoint.
enum { RESTART_FIRST = -516, RESTART_LAST = -512, INTERRUPTED = -4 };

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, CALL_ENTRIES_MAX);
    __type(key, u32);
    __type(value, struct syscall_entry);
} syscalls SEC(".maps");

// The programs named syscall_TYPE (SYSCALL_PROGRAM), by event type; the addon fills it.
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, EVENT_TYPE_IDS_MAX);
    __type(key, u32);
    __type(value, u32);
} syscall_programs SEC(".maps");

enum { CALL_ARGUMENTS_MAX = 6 };

// An operation of a ring, told as the system call that does the same.
struct ring_call {
    u16 call;
    u16 type;
    // Its success is no descriptor of the process's: it is not known, or a slot in the ring's own table.
    u32 makes_no_descriptor;
    u64 arguments[CALL_ARGUMENTS_MAX];
    // The task whose ring it is.
    struct task_struct *task;
    // The file it was done on, which need not have a descriptor; 0 where there is none, or none yet.
    u64 file;
    // An event type that looks at the operation too; 0 where there is none.
    u32 watched_by;
};

// A system call that has returned, as the program of an event type sees it, whichever way it came.
struct call_frame {
    struct pt_regs *regs;
    // Of a 32-bit call: its arguments; else NULL.
    const u32 *narrow;
    // Of a ring's operation, which has no registers; else NULL.
    const struct ring_call *ring;
};

#if defined(__TARGET_ARCH_x86)

enum { X32_BIT = 0x40000000, TS_COMPAT = 2 };

// The registers of the call are still there when it returns; only rax holds the result.
#define SYSCALL_NUMBER(regs) ((u32)(regs)->orig_ax & ~X32_BIT)
#define SYSCALL_IS_X32(regs) ((regs)->orig_ax & X32_BIT)
// 5.10 lets programs with functions of their own make tail calls here (e411901c0b77).
#define SYSCALL_CAN_HAND_ON true
#define WIDE_ARGUMENT_0(regs) ((regs)->di)
#define WIDE_ARGUMENT_1(regs) ((regs)->si)
#define WIDE_ARGUMENT_2(regs) ((regs)->dx)
#define WIDE_ARGUMENT_3(regs) ((regs)->r10)
#define WIDE_ARGUMENT_4(regs) ((regs)->r8)
#define WIDE_ARGUMENT_5(regs) ((regs)->r9)

#define NARROW_ARGUMENT_0(regs) ((u32)(regs)->bx)

#define TASK_IS_32_BIT(is_known, task) (READ(is_known, task, thread_info.status) & TS_COMPAT)

// The number in the 32-bit ABI; i386 has one for all that sockets do, whose first argument says what.
static __always_inline u32 narrow_number(struct pt_regs *regs) {
    u32 number = regs->orig_ax;
    u32 subcall = regs->bx;
    return number == I386_SOCKETCALL && subcall < SOCKETCALLS_MAX ? SOCKETCALL_FIRST + subcall : number;
}

static __noinline int narrow_arguments(struct pt_regs *regs, u32 *arguments) {
    arguments[0] = regs->bx;
    arguments[1] = regs->cx;
    arguments[2] = regs->dx;
    arguments[3] = regs->si;
    arguments[4] = regs->di;
    arguments[5] = regs->bp;
    if ((u32)regs->orig_ax != I386_SOCKETCALL) return 0;
    const void *from = (const void *)(u64)arguments[1];
    return bpf_probe_read_user(arguments, CALL_ARGUMENTS_MAX * sizeof(*arguments), from);
}

#elif defined(__TARGET_ARCH_arm64)

enum { TIF_32BIT = 22 };

#define SYSCALL_NUMBER(regs) ((u32)(regs)->syscallno)
#define SYSCALL_IS_X32(regs) 0
// Before 6.0 a program with functions of its own may make no tail calls here (d4609a5d8c70): a call then feeds only the
// first of its types. Asked by a helper of 6.0.
enum bpf_func_id___since_6_0 { BPF_FUNC_tcp_raw_gen_syncookie_ipv4___since_6_0 = 204 };
#define SYSCALL_CAN_HAND_ON                                                                                            \
    bpf_core_enum_value_exists(enum bpf_func_id___since_6_0, BPF_FUNC_tcp_raw_gen_syncookie_ipv4___since_6_0)
// The parameter is no name of a member, which it would replace.
#define WIDE_ARGUMENT_0(from) ((from)->orig_x0)
#define WIDE_ARGUMENT_1(from) ((from)->regs[1])
#define WIDE_ARGUMENT_2(from) ((from)->regs[2])
#define WIDE_ARGUMENT_3(from) ((from)->regs[3])
#define WIDE_ARGUMENT_4(from) ((from)->regs[4])
#define WIDE_ARGUMENT_5(from) ((from)->regs[5])

#define NARROW_ARGUMENT_0(regs) ((u32)(regs)->orig_x0)

#define TASK_IS_32_BIT(is_known, task) (READ(is_known, task, thread_info.flags) >> TIF_32BIT & 1)

static __always_inline u32 narrow_number(struct pt_regs *regs) {
    return regs->syscallno;
}

static __noinline int narrow_arguments(struct pt_regs *regs, u32 *arguments) {
    arguments[0] = regs->orig_x0;
    for (int i = 1; i < CALL_ARGUMENTS_MAX; i++) arguments[i] = regs->regs[i];
    return 0;
}

#endif

// Argument `n` of a call, counted from 0: SYSCALL_ARGUMENT_2(frame). Of a 32-bit call its upper half is 0.
#define SYSCALL_ARGUMENT(frame, n) ((frame)->ring ? (frame)->ring->arguments[n] : REGISTER_ARGUMENT(frame, n))
#define REGISTER_ARGUMENT(frame, n) ((frame)->narrow ? (frame)->narrow[n] : (u64)WIDE_ARGUMENT_##n((frame)->regs))
#define SYSCALL_ARGUMENT_0(frame) SYSCALL_ARGUMENT(frame, 0)
#define SYSCALL_ARGUMENT_1(frame) SYSCALL_ARGUMENT(frame, 1)
#define SYSCALL_ARGUMENT_2(frame) SYSCALL_ARGUMENT(frame, 2)
#define SYSCALL_ARGUMENT_3(frame) SYSCALL_ARGUMENT(frame, 3)
#define SYSCALL_ARGUMENT_4(frame) SYSCALL_ARGUMENT(frame, 4)
#define SYSCALL_ARGUMENT_5(frame) SYSCALL_ARGUMENT(frame, 5)

// Whether the running task is in a call of the 32-bit ABI, which a 64-bit program can make too.
static __always_inline bool call_is_narrow(void) {
    if (CURRENT_TASK_IS_KNOWN) return TASK_IS_32_BIT(true, current_task_known());
    return TASK_IS_32_BIT(false, (struct task_struct *)bpf_get_current_task());
}

static __always_inline struct syscall_entry *syscall_entry_of(u32 number) {
    return bpf_map_lookup_elem(&syscalls, &number);
}

// What is known of the call: by its number in the ABI it came by. NULL where the number is none of a call.
static __always_inline struct call_entry *frame_entry(const struct call_frame *frame) {
    struct syscall_entry *entry =
        syscall_entry_of(frame->narrow ? narrow_number(frame->regs) : SYSCALL_NUMBER(frame->regs));
    if (!entry) return NULL;
    return frame->narrow ? &entry->narrow : &entry->native;
}

// Which call it was (enum call), where a program handles it.
static __always_inline u32 syscall_call(const struct call_frame *frame) {
    if (frame->ring) return frame->ring->call;
    struct call_entry *entry = frame_entry(frame);
    return entry ? entry->call : CALL_UNSPECIFIED;
}

// 5.15 brought the helper that finds the registers of the call a task is in.
enum bpf_func_id___since_5_15 { BPF_FUNC_task_pt_regs___since_5_15 = 175 };
static struct pt_regs *(*task_pt_regs)(struct task_struct *) = (void *)BPF_FUNC_task_pt_regs___since_5_15;

struct current_call {
    u32 call;
    u64 first_argument;
};

// What is known of the call the running task is in the middle of; NULL where the kernel does not show it.
static __always_inline struct call_entry *current_call_entry(void) {
    if (!bpf_core_enum_value_exists(enum bpf_func_id___since_5_15, BPF_FUNC_task_pt_regs___since_5_15)) return NULL;
    struct task_struct *task = current_task_known();
    struct pt_regs *regs = task_pt_regs(task);
    const bool is_narrow = TASK_IS_32_BIT(true, task);
    struct syscall_entry *entry = syscall_entry_of(is_narrow ? narrow_number(regs) : SYSCALL_NUMBER(regs));
    if (!entry) return NULL;
    return is_narrow ? &entry->narrow : &entry->native;
}

// The call the running task is in the middle of; unspecified where the kernel does not show it.
static __always_inline struct current_call current_call_read(void) {
    struct current_call call = {};
    struct call_entry *entry = current_call_entry();
    if (!entry) return call;
    struct task_struct *task = current_task_known();
    struct pt_regs *regs = task_pt_regs(task);
    call.call = entry->call;
    call.first_argument = TASK_IS_32_BIT(true, task) ? NARROW_ARGUMENT_0(regs) : WIDE_ARGUMENT_0(regs);
    return call;
}

static __always_inline s64 syscall_result(long result) {
    return result >= RESTART_FIRST && result <= RESTART_LAST ? INTERRUPTED : result;
}

// Whether what a call that makes a descriptor returned is one.
static __always_inline bool result_is_descriptor(const struct call_frame *frame, long result) {
    return result >= 0 && !(frame->ring && frame->ring->makes_no_descriptor);
}

// The head of a record of a system call.
static __always_inline void header_fill_call(struct record *record, struct event_header *header,
                                             const struct call_frame *frame, long result) {
    if (frame->ring)
        header_read(record, header, frame->ring->task, false);
    else
        header_fill_current(record, header);
    header->call = syscall_call(frame);
    header->result = syscall_result(result);
    header->by_io_uring = record->of_copies = frame->ring != NULL;
    record->ring_file = frame->ring ? frame->ring->file : 0;
    if (frame->ring) return;
    if (frame->narrow) header->abi = CALL_ABI_32_BIT;
    if (!frame->narrow && SYSCALL_IS_X32(frame->regs)) header->abi = CALL_ABI_X32;
}

// A call of another ABI whose structures in memory are others: it is only counted.
static __always_inline int syscall_foreign(struct call_entry *entry) {
    for (int i = 0; i < SYSCALL_TYPES_MAX; i++)
        if (entry->types[i] && event_seen(entry->types[i])) event_dropped(entry->types[i], DROP_REASON_FOREIGN_ABI);
    return 0;
}

// Goes on to the program of the first wanted type from `from` on. The list stays as it is when the interest changes, so
// a call in the middle of it loses none of its types. Returns only where there is none.
static __always_inline int syscall_go_on(void *ctx, struct call_entry *entry, struct settings *now, int from) {
    for (int i = 0; i < SYSCALL_TYPES_MAX; i++) {
        if (i >= from && entry->types[i] && type_is_wanted(now, entry->types[i]))
            bpf_tail_call(ctx, &syscall_programs, entry->types[i]);
    }
    return 0;
}

// Hands on from a type's program to the one behind it.
static __always_inline int syscall_hand_on(void *ctx, const struct call_frame *frame, u32 type) {
    if (!SYSCALL_CAN_HAND_ON) return 0;
    struct settings *now = settings_read();
    struct call_entry *entry = frame_entry(frame);
    if (!now || !entry || !entry->types[1]) return 0;
    for (int i = 0; i < SYSCALL_TYPES_MAX - 1; i++)
        if (entry->types[i] == type) return syscall_go_on(ctx, entry, now, i + 1);
    return 0;
}

// Defines the program of an event type that reports system calls, followed by its body. Whatever the body returns, the
// other types of the same call have their turn.
#define SYSCALL_PROGRAM(name, id, frame, result)                                                                       \
    static __always_inline int name##_call_returned(const struct call_frame *frame, long result);                      \
    SEC("tp_btf/sys_exit")                                                                                             \
    int BPF_PROG(syscall_##name, struct pt_regs *registers, long returned) {                                           \
        u32 narrow[CALL_ARGUMENTS_MAX] = {};                                                                           \
        struct call_frame call = {.regs = registers};                                                                  \
        if (call_is_narrow()) {                                                                                        \
            narrow_arguments(registers, narrow);                                                                       \
            call.narrow = narrow;                                                                                      \
        }                                                                                                              \
        name##_call_returned(&call, returned);                                                                         \
        return syscall_hand_on(ctx, &call, id);                                                                        \
    }                                                                                                                  \
    static __always_inline int name##_call_returned(const struct call_frame *frame, long result)

// A call by its number in the 32-bit ABI.
static __always_inline int syscall_narrow(void *ctx, struct pt_regs *regs, struct settings *now) {
    struct syscall_entry *entry = syscall_entry_of(narrow_number(regs));
    if (!entry) return 0;
    return entry->narrow.differs ? syscall_foreign(&entry->narrow) : syscall_go_on(ctx, &entry->narrow, now, 0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long result) {
    u32 number = SYSCALL_NUMBER(regs);
    struct settings *now = settings_read();
    if (!now || number >= SYSCALLS_MAX || !(now->syscalls[number / 64] >> (number % 64) & 1)) return 0;

    if (call_is_narrow()) return syscall_narrow(ctx, regs, now);
    struct syscall_entry *entry = syscall_entry_of(number);
    if (!entry) return 0;
    if (SYSCALL_IS_X32(regs) && entry->native.differs) return syscall_foreign(&entry->native);
    return syscall_go_on(ctx, &entry->native, now, 0);
}
