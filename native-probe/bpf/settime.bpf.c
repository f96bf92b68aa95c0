// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each change of a clock, and each try; calls that only ask how it runs are filtered.
#include "image.h"
#include "syscall.h"

enum { MICROSECOND_NS = 1000 };

struct settime_event {
    struct event_header header;
    s32 clock;
    s64 time_unix_ns;
    u32 adjustments;
};

EVENT_RECORD(settime, EVENT_SETTIME)

// struct timeval of 64-bit calls; struct timespec is the same with ns.
struct clock_setting {
    s64 seconds;
    s64 fraction;
};

static __always_inline s64 clock_setting_ns(u64 address, s64 fraction_ns) {
    struct clock_setting setting = {};
    bpf_probe_read_user(&setting, sizeof(setting), (const void *)address);
    return setting.seconds * NS_PER_S + setting.fraction * fraction_ns;
}

// What is adjusted: the first member of struct timex.
static __always_inline u32 clock_adjustments(u64 address) {
    u32 modes = 0;
    bpf_probe_read_user(&modes, sizeof(modes), (const void *)address);
    return modes;
}

SYSCALL_PROGRAM(settime, EVENT_SETTIME, frame, result) {
    if (!event_seen(EVENT_SETTIME)) return 0;
    u32 call = syscall_call(frame);
    u64 first = SYSCALL_ARGUMENT_0(frame), second = SYSCALL_ARGUMENT_1(frame);
    u32 adjustments = 0;
    if (call == CALL_ADJTIMEX) adjustments = clock_adjustments(first);
    if (call == CALL_CLOCK_ADJTIME) adjustments = clock_adjustments(second);
    if (!adjustments && (call == CALL_ADJTIMEX || call == CALL_CLOCK_ADJTIME)) return event_filtered(EVENT_SETTIME);

    struct record *record;
    struct settime_event *event = settime_begin(&record);
    if (!event) return 0;
    header_fill_call(record, &event->header, frame, result);
    event->adjustments = adjustments;
    if (call == CALL_CLOCK_SETTIME || call == CALL_CLOCK_ADJTIME) event->clock = first;
    if (call == CALL_CLOCK_SETTIME) event->time_unix_ns = clock_setting_ns(second, 1);
    if (call == CALL_SETTIMEOFDAY) event->time_unix_ns = clock_setting_ns(first, MICROSECOND_NS);
    return record_submit(record);
}
