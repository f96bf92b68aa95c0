// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// One program for all system calls: when one returns that event types report, their programs go on, one by one.
#pragma once

#include "task.h"

// The kernel's own numbers for errors that it turns into a restart or into EINTR behind the tracepoint.
enum { RESTART_FIRST = -516, RESTART_LAST = -512, INTERRUPTED = -4 };

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SYSCALLS_MAX);
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

#if defined(__TARGET_ARCH_x86)

enum { X32_BIT = 0x40000000, TS_COMPAT = 2, SOCKETCALL_CONNECT = 3 };

// The registers of the call are still there when it returns; only rax holds the result.
#define SYSCALL_NUMBER(regs) ((u32)(regs)->orig_ax & ~X32_BIT)
#define SYSCALL_ARGUMENT_0(regs) ((regs)->di)
#define SYSCALL_ARGUMENT_1(regs) ((regs)->si)
#define SYSCALL_ARGUMENT_2(regs) ((regs)->dx)
#define SYSCALL_ARGUMENT_3(regs) ((regs)->r10)
#define SYSCALL_ARGUMENT_4(regs) ((regs)->r8)
#define SYSCALL_ARGUMENT_5(regs) ((regs)->r9)
#define SYSCALL_IS_X32(regs) ((regs)->orig_ax & X32_BIT)
// i386 has one call for all that sockets do; its first argument says what.
#define SYSCALL_IS_NO_EVENT(regs) ((regs)->orig_ax == I386_SOCKETCALL && (regs)->bx != SOCKETCALL_CONNECT)

static __always_inline bool task_is_32_bit(struct task_struct *task) {
    return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

#elif defined(__TARGET_ARCH_arm64)

enum { TIF_32BIT = 22 };

#define SYSCALL_NUMBER(regs) ((u32)(regs)->syscallno)
#define SYSCALL_ARGUMENT_0(regs) ((regs)->orig_x0)
#define SYSCALL_ARGUMENT_1(regs) ((regs)->regs[1])
#define SYSCALL_ARGUMENT_2(regs) ((regs)->regs[2])
#define SYSCALL_ARGUMENT_3(regs) ((regs)->regs[3])
#define SYSCALL_ARGUMENT_4(regs) ((regs)->regs[4])
#define SYSCALL_ARGUMENT_5(regs) ((regs)->regs[5])
#define SYSCALL_IS_X32(regs) 0
#define SYSCALL_IS_NO_EVENT(regs) 0

static __always_inline bool task_is_32_bit(struct task_struct *task) {
    return BPF_CORE_READ(task, thread_info.flags) >> TIF_32BIT & 1;
}

#endif

// Which call it was (enum call), where a program handles it.
static __always_inline u32 syscall_call(struct pt_regs *regs) {
    u32 number = SYSCALL_NUMBER(regs);
    struct syscall_entry *entry = bpf_map_lookup_elem(&syscalls, &number);
    return entry ? entry->call : CALL_UNSPECIFIED;
}

// 5.15 brought the helper that finds the registers of the call a task is in.
enum bpf_func_id___since_5_15 { BPF_FUNC_task_pt_regs___since_5_15 = 175 };
static struct pt_regs *(*task_pt_regs)(struct task_struct *) = (void *)BPF_FUNC_task_pt_regs___since_5_15;

struct current_call {
    u32 call;
    u64 first_argument;
};

// The call the running task is in the middle of; unspecified where the kernel does not show it, or of another ABI.
static __always_inline struct current_call current_call_read(void) {
    struct current_call call = {};
    if (!bpf_core_enum_value_exists(enum bpf_func_id___since_5_15, BPF_FUNC_task_pt_regs___since_5_15)) return call;
    struct task_struct *task = current_task_known();
    struct pt_regs *regs = task_pt_regs(task);
    if (SYSCALL_IS_X32(regs) || task_is_32_bit(task)) return call;
    call.call = syscall_call(regs);
    call.first_argument = SYSCALL_ARGUMENT_0(regs);
    return call;
}

static __always_inline s64 syscall_result(long result) {
    return result >= RESTART_FIRST && result <= RESTART_LAST ? INTERRUPTED : result;
}

// A call of another ABI: its numbers mean something else and its arguments lie elsewhere, so it is only counted.
static __always_inline int syscall_foreign(const u16 *types) {
    for (int i = 0; i < SYSCALL_TYPES_MAX; i++)
        if (types[i] && event_seen(types[i])) event_dropped(types[i], DROP_REASON_FOREIGN_ABI);
    return 0;
}

// Goes on to the program of the first wanted type from `from` on. The list stays as it is when the interest changes, so
// a call in the middle of it loses none of its types. Returns only where there is none.
static __always_inline int syscall_go_on(void *ctx, struct syscall_entry *entry, struct settings *now, int from) {
    for (int i = 0; i < SYSCALL_TYPES_MAX; i++) {
        if (i >= from && entry->types[i] && type_is_wanted(now, entry->types[i]))
            bpf_tail_call(ctx, &syscall_programs, entry->types[i]);
    }
    return 0;
}

// Hands on from a type's program to the one behind it.
static __always_inline int syscall_hand_on(void *ctx, struct pt_regs *regs, u32 type) {
    u32 number = SYSCALL_NUMBER(regs);
    struct settings *now = settings_read();
    struct syscall_entry *entry = bpf_map_lookup_elem(&syscalls, &number);
    if (!now || !entry || !entry->types[1]) return 0;
    for (int i = 0; i < SYSCALL_TYPES_MAX - 1; i++)
        if (entry->types[i] == type) return syscall_go_on(ctx, entry, now, i + 1);
    return 0;
}

// Defines the program of an event type that reports system calls, followed by its body. Whatever the body returns, the
// other types of the same call have their turn.
#define SYSCALL_PROGRAM(name, id, regs, result)                                                                        \
    static __always_inline int name##_call_returned(struct pt_regs *regs, long result);                                \
    SEC("tp_btf/sys_exit")                                                                                             \
    int BPF_PROG(syscall_##name, struct pt_regs *registers, long returned) {                                           \
        name##_call_returned(registers, returned);                                                                     \
        return syscall_hand_on(ctx, registers, id);                                                                    \
    }                                                                                                                  \
    static __always_inline int name##_call_returned(struct pt_regs *regs, long result)

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long result) {
    u32 number = SYSCALL_NUMBER(regs);
    struct settings *now = settings_read();
    if (!now || number >= SYSCALLS_MAX || !(now->syscalls[number / 64] >> (number % 64) & 1)) return 0;

    struct syscall_entry *entry = bpf_map_lookup_elem(&syscalls, &number);
    if (!entry) return 0;
    if (SYSCALL_IS_X32(regs)) return syscall_foreign(entry->types);
    if (task_is_32_bit((struct task_struct *)bpf_get_current_task()))
        return SYSCALL_IS_NO_EVENT(regs) ? 0 : syscall_foreign(entry->foreign_types);
    return syscall_go_on(ctx, entry, now, 0);
}
