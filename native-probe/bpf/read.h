// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reading kernel structures: plainly where the verifier knows what a pointer points to, through a helper where not.
#pragma once

// A program's own arguments are known to the verifier, and from 5.11 on the current task is. Followed plainly, a member
// costs a nanosecond or two; the helper, which also reads what is only a number to the verifier, costs ten times that.
// `is_known` is a constant: only one of the two forms is in the program.
#define READ(is_known, from, ...) ((is_known) ? READ_PLAINLY(from, __VA_ARGS__) : BPF_CORE_READ(from, __VA_ARGS__))

#define READ_PLAINLY(from, ...) READ_CHOOSE(__VA_ARGS__, READ_4, READ_3, READ_2, READ_1)(from, __VA_ARGS__)
#define READ_CHOOSE(a, b, c, d, chosen, ...) chosen
#define READ_1(from, a) ((from)->a)
#define READ_2(from, a, b) ((from)->a->b)
#define READ_3(from, a, b, c) ((from)->a->b->c)
#define READ_4(from, a, b, c, d) ((from)->a->b->c->d)

enum bpf_func_id___since_5_11 { BPF_FUNC_get_current_task_btf___since_5_11 = 158 };
static struct task_struct *(*current_task_known)(void) = (void *)BPF_FUNC_get_current_task_btf___since_5_11;

// The running task, known where this is true and a number else.
#define CURRENT_TASK_IS_KNOWN                                                                                          \
    bpf_core_enum_value_exists(enum bpf_func_id___since_5_11, BPF_FUNC_get_current_task_btf___since_5_11)
