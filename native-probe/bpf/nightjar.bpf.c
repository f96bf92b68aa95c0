// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// The object that is loaded: the dispatch of system calls and the program of every event type.
#include "../gen/events.h"
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "syscall.h"

#include "../gen/programs.h"

// What the kernel takes for compatible with the GPL.
char LICENSE[] SEC("license") = "Dual BSD/GPL";
