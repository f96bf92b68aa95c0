// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each kernel module that is removed, and each try.
#include "syscall.h"

enum { MODULE_NAME_SIZE = 56 };

struct module_unload_event {
    struct event_header header;
    struct text name;
    u32 flags;
};

EVENT_RECORD(module_unload, EVENT_MODULE_UNLOAD)

SYSCALL_PROGRAM(module_unload, EVENT_MODULE_UNLOAD, frame, result) {
    if (!event_seen(EVENT_MODULE_UNLOAD)) return 0;
    struct record *record;
    struct module_unload_event *event = module_unload_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    record_user_string(record, &event->name, (const void *)SYSCALL_ARGUMENT_0(frame), MODULE_NAME_SIZE);
    event->flags = SYSCALL_ARGUMENT_1(frame);
    return record_submit(record);
}

SEC("tp_btf/module_free")
int BPF_PROG(module_gone, struct module *module) {
    if (!event_seen(EVENT_MODULE_UNLOAD)) return 0;
    struct record *record;
    struct module_unload_event *event = module_unload_begin(&record);
    if (!event) return 0;
    header_fill_current(record, &event->header);
    event->header.call = CALL_MODULE_FREE;
    record_kernel_string(record, &event->name, &module->name, MODULE_NAME_SIZE);
    return record_submit(record);
}
