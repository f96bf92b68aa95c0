// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports memory that becomes executable and is no file mapped as it is, and each try: mmap, mprotect, pkey_mprotect.
#include "descriptor.h"
#include "mapping.h"
#include "syscall.h"

struct memory_protection_event {
    struct event_header header;
    u64 address;
    u64 size_bytes;
    u32 protection;
    u32 flags;
    s32 fd;
    struct descriptor descriptor;
    u64 offset_bytes;
    s32 protection_key;
    u8 mapping_known;
    u8 anonymous;
    u8 written;
};

EVENT_RECORD(memory_protection, EVENT_MEMORY_PROTECTION)

static __always_inline void memory_mapped_fill(struct record *record, struct memory_protection_event *event,
                                               const struct call_frame *frame) {
    event->flags = SYSCALL_ARGUMENT_3(frame);
    event->offset_bytes = SYSCALL_ARGUMENT_5(frame);
    // The 32-bit call counts in pages.
    if (frame->narrow) event->offset_bytes <<= I386_PAGE_SHIFT;
    if (event->flags & MAP_ANONYMOUS) return;
    event->fd = SYSCALL_ARGUMENT_4(frame);
    struct file *file = descriptor_file(event->fd);
    if (file) descriptor_read_with_path(record, &event->descriptor, file);
}

// What lies at the address now; of mmap the descriptor has told the file.
static __always_inline void memory_mapping_fill(struct record *record, struct memory_protection_event *event,
                                                u64 address, bool is_mmap) {
    struct vm_area_struct *mapping = (void *)mapping_find(address);
    if (!mapping) return;
    struct file *file = BPF_CORE_READ(mapping, vm_file);
    event->mapping_known = true;
    event->anonymous = !file;
    event->written = file && BPF_CORE_READ(mapping, anon_vma);
    if (file && !is_mmap) descriptor_read_with_path(record, &event->descriptor, file);
}

SYSCALL_PROGRAM(memory_protection, EVENT_MEMORY_PROTECTION, frame, result) {
    const u64 protection = SYSCALL_ARGUMENT_2(frame);
    if (!(protection & PROT_EXEC)) return 0;
    const bool is_mmap = syscall_call(frame) == CALL_MMAP;
    // A file mapped to be executed and not written is a library.
    if (is_mmap && !(protection & PROT_WRITE) && !(SYSCALL_ARGUMENT_3(frame) & MAP_ANONYMOUS)) return 0;
    if (!event_seen_of_others(EVENT_MEMORY_PROTECTION)) return 0;

    struct record *record;
    struct memory_protection_event *event = memory_protection_begin(&record);
    if (!event) return 0;
    const bool failed = result < 0 && result >= MAP_ERRORS_FROM;
    header_fill_call(record, &event->header, frame, result);
    event->address = SYSCALL_ARGUMENT_0(frame);
    event->size_bytes = SYSCALL_ARGUMENT_1(frame);
    event->protection = protection;
    event->fd = -1;
    event->protection_key = event->header.call == CALL_PKEY_MPROTECT ? (s32)SYSCALL_ARGUMENT_3(frame) : -1;
    if (is_mmap) memory_mapped_fill(record, event, frame);
    // What lies where nothing could be mapped is something else.
    if (!is_mmap || !failed) memory_mapping_fill(record, event, is_mmap ? (u64)result : event->address, is_mmap);
    return record_submit(record);
}
