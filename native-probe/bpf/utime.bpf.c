// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each file whose times are set, and each try: utime, utimes, futimesat, utimensat.
#include "image.h"
#include "resolved.h"

enum { UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe, NS_PER_US = 1000 };

struct utime_event {
    struct event_header header;
    struct target target;
    s64 access_time_ns;
    s64 modified_time_ns;
    u8 access_change;
    u8 modified_change;
    u32 flags;
};

EVENT_RECORD(utime, EVENT_UTIME)

// A time as the caller passed it: timespec, timeval, or the seconds alone.
static __always_inline u8 utime_change(s64 *time, s64 seconds, s64 fraction, u32 call_id) {
    if (call_id == CALL_UTIMENSAT && fraction == UTIME_NOW) return TIME_CHANGE_NOW;
    if (call_id == CALL_UTIMENSAT && fraction == UTIME_OMIT) return TIME_CHANGE_NONE;
    *time = seconds * (s64)NS_PER_S + fraction * (call_id == CALL_UTIMENSAT ? 1 : NS_PER_US);
    return TIME_CHANGE_GIVEN;
}

static __always_inline void utime_times_read(struct utime_event *event, const void *times, u32 call_id) {
    s64 both[4] = {};
    if (!times) {
        event->access_change = event->modified_change = TIME_CHANGE_NOW;
    } else if (call_id == CALL_UTIME) {
        if (bpf_probe_read_user(both, 2 * sizeof(s64), times)) return;
        event->access_change = utime_change(&event->access_time_ns, both[0], 0, call_id);
        event->modified_change = utime_change(&event->modified_time_ns, both[1], 0, call_id);
    } else {
        if (bpf_probe_read_user(both, sizeof(both), times)) return;
        event->access_change = utime_change(&event->access_time_ns, both[0], both[1], call_id);
        event->modified_change = utime_change(&event->modified_time_ns, both[2], both[3], call_id);
    }
}

SYSCALL_PROGRAM(utime, EVENT_UTIME, frame, result) {
    if (!event_seen_of_others(EVENT_UTIME)) return 0;
    struct record *record;
    struct utime_event *event = utime_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    const u32 call_id = event->header.call;
    const bool from_directory = call_id == CALL_FUTIMESAT || call_id == CALL_UTIMENSAT;
    struct named_call call = named_call_read(frame, from_directory ? BY_DIRECTORY : BY_PATH);
    target_read(record, &event->target, &call, result >= 0);
    resolved_tell(record, frame, &event->target.named.absolute, NULL);
    utime_times_read(event, (const void *)call.next[0], call_id);
    if (call_id == CALL_UTIMENSAT) event->flags = call.next[1];
    return record_submit(record);
}

RESOLVED_PATH(utime, EVENT_UTIME, vfs_utimes)
