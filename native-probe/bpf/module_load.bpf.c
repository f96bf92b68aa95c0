// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each kernel module that is loaded, each try, and what the kernel knows of it when it goes live.
#include "descriptor.h"
#include "syscall.h"

enum { MODULE_ARGUMENTS_SIZE_MAX = 4096 };

struct module_load_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    struct text arguments;
    u8 arguments_truncated;
    u32 flags;
    u64 size_bytes;
    char name[56];
    u64 taints;
};

EVENT_RECORD(module_load, EVENT_MODULE_LOAD)

static __always_inline void module_file_fill(struct record *record, struct module_load_event *event) {
    struct file *file = descriptor_file(event->fd);
    if (!file) return;
    descriptor_read_with_path(record, &event->descriptor, file);
    event->size_bytes = BPF_CORE_READ(file, f_inode, i_size);
}

SYSCALL_PROGRAM(module_load, EVENT_MODULE_LOAD, frame, result) {
    if (!event_seen(EVENT_MODULE_LOAD)) return 0;
    struct record *record;
    struct module_load_event *event = module_load_begin(&record);
    if (!event) return 0;
    const void *arguments = (const void *)SYSCALL_ARGUMENT_1(frame);

    header_fill_call(record, &event->header, frame, result);
    if (event->header.call == CALL_FINIT_MODULE) {
        event->fd = SYSCALL_ARGUMENT_0(frame);
        event->flags = SYSCALL_ARGUMENT_2(frame);
        module_file_fill(record, event);
    } else {
        event->fd = -1;
        event->size_bytes = SYSCALL_ARGUMENT_1(frame);
        arguments = (const void *)SYSCALL_ARGUMENT_2(frame);
    }
    record_user_string(record, &event->arguments, arguments, MODULE_ARGUMENTS_SIZE_MAX);
    event->arguments_truncated = event->arguments.length == MODULE_ARGUMENTS_SIZE_MAX - 1;
    return record_submit(record);
}

SEC("tp_btf/module_load")
int BPF_PROG(module_live, struct module *module) {
    if (!event_seen(EVENT_MODULE_LOAD)) return 0;
    struct record *record;
    struct module_load_event *event = module_load_begin(&record);
    if (!event) return 0;
    header_fill_current(record, &event->header);
    event->header.call = CALL_MODULE_LOAD;
    event->fd = -1;
    bpf_core_read(&event->name, sizeof(event->name), &module->name);
    event->taints = BPF_CORE_READ(module, taints);
    return record_submit(record);
}
