// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What is read of the kernel's own structures, and no more; offsets are found by CO-RE when the programs are loaded.
#pragma once

#include "kernel/bpf.h"
#include "kernel/file.h"
#include "kernel/ids.h"
#include "kernel/io_uring.h"
#include "kernel/memory.h"
#include "kernel/module.h"
#include "kernel/socket.h"
#include "kernel/task.h"
#include "kernel/types.h"
