// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each message that is sent, and each try, where someone wants it.
#include "message.h"
#include "ring.h"

MESSAGE_EVENT(send);
EVENT_RECORD(send, EVENT_SEND)
MESSAGE_RECORD(send)

SYSCALL_PROGRAM(send, EVENT_SEND, frame, result) {
    if (!event_seen(EVENT_SEND)) return 0;
    if (task_is_own() || !message_is_wanted(frame_file(frame, SYSCALL_ARGUMENT_0(frame))))
        return event_filtered(EVENT_SEND);

    u32 messages = messages_of_call(EVENT_SEND, syscall_call(frame), result);
    for (u32 index = 0; index < MESSAGES_MAX && index < messages; index++) {
        if (index) LEDGER_COUNT(EVENT_SEND, seen);
        struct record *record;
        struct send_event *event = send_begin(&record);
        if (!event) continue;
        header_fill_call(record, &event->header, frame, result);
        call_read(&record->call, frame, result, index);
        send_message(record->slot);
    }
    return 0;
}

RING_PROGRAM(send)
