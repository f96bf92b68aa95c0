// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each ioperm and iopl, and each try; only x86 has them.
#include "syscall.h"

struct io_ports_event {
    struct event_header header;
    u64 first_port;
    u64 ports;
    u8 allowed;
    u32 level;
};

EVENT_RECORD(io_ports, EVENT_IO_PORTS)

SYSCALL_PROGRAM(io_ports, EVENT_IO_PORTS, frame, result) {
    if (!event_seen(EVENT_IO_PORTS)) return 0;
    struct record *record;
    struct io_ports_event *event = io_ports_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    if (event->header.call == CALL_IOPL) {
        event->level = SYSCALL_ARGUMENT_0(frame);
        return record_submit(record);
    }
    event->first_port = SYSCALL_ARGUMENT_0(frame);
    event->ports = SYSCALL_ARGUMENT_1(frame);
    event->allowed = (u32)SYSCALL_ARGUMENT_2(frame) != 0;
    return record_submit(record);
}
