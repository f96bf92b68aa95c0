// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each message that is received, and each try, where someone wants it.
#include "message.h"
#include "ring.h"

MESSAGE_EVENT(receive);
EVENT_RECORD(receive, EVENT_RECEIVE)
MESSAGE_RECORD(receive)

SYSCALL_PROGRAM(receive, EVENT_RECEIVE, frame, result) {
    if (!event_seen(EVENT_RECEIVE)) return 0;
    if (task_is_own() || !message_is_wanted(frame_file(frame, SYSCALL_ARGUMENT_0(frame))))
        return event_filtered(EVENT_RECEIVE);

    u32 messages = messages_of_call(EVENT_RECEIVE, syscall_call(frame), result);
    for (u32 index = 0; index < MESSAGES_MAX && index < messages; index++) {
        if (index) LEDGER_COUNT(EVENT_RECEIVE, seen);
        struct record *record;
        struct receive_event *event = receive_begin(&record);
        if (!event) continue;
        header_fill_call(record, &event->header, frame, result);
        call_read(&record->call, frame, result, index);
        receive_message(record->slot);
    }
    return 0;
}

RING_PROGRAM(receive)
