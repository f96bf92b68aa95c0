// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each use of the kernel's key rings: add_key, request_key, keyctl.
#include "syscall.h"

// As the kernel limits them (security/keys/keyctl.c), the description to what a rule can use.
enum { KEY_TYPE_SIZE_MAX = 32, KEY_DESCRIPTION_SIZE_MAX = 1024 };

struct keyctl_event {
    struct event_header header;
    u32 operation;
    struct text type;
    struct text description;
    s32 keyring;
    s32 key;
};

EVENT_RECORD(keyctl, EVENT_KEYCTL)

SYSCALL_PROGRAM(keyctl, EVENT_KEYCTL, frame, result) {
    if (!event_seen(EVENT_KEYCTL)) return 0;
    struct record *record;
    struct keyctl_event *event = keyctl_begin(&record);
    if (!event) return 0;
    u32 call = syscall_call(frame);

    header_fill_call(record, &event->header, frame, result);
    if (call == CALL_KEYCTL) {
        event->operation = SYSCALL_ARGUMENT_0(frame);
        event->key = SYSCALL_ARGUMENT_1(frame);
        return record_submit(record);
    }
    event->keyring = call == CALL_ADD_KEY ? SYSCALL_ARGUMENT_4(frame) : SYSCALL_ARGUMENT_3(frame);
    record_user_string(record, &event->type, (const void *)SYSCALL_ARGUMENT_0(frame), KEY_TYPE_SIZE_MAX);
    record_user_string(record, &event->description, (const void *)SYSCALL_ARGUMENT_1(frame), KEY_DESCRIPTION_SIZE_MAX);
    return record_submit(record);
}
