// Without the right to it, tries to set the clock in each way there is; prints what the calls returned.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static long result_of(long result) {
    return result < 0 ? -errno : result;
}

int main(void) {
    if (setgid(NOBODY) || setuid(NOBODY)) return 3;
    struct timeval day = {.tv_sec = 1000, .tv_usec = 5};
    struct timespec time = {.tv_sec = 2000, .tv_nsec = 7};
    struct timex asking = {.modes = 0}, tick = {.modes = ADJ_TICK, .tick = 10000}, offset = {.modes = ADJ_OFFSET};
    long asked = result_of(syscall(SYS_adjtimex, &asking));
    printf("%ld ", result_of(syscall(SYS_settimeofday, &day, NULL)));
    printf("%ld ", result_of(syscall(SYS_clock_settime, CLOCK_REALTIME, &time)));
    printf("%ld ", result_of(syscall(SYS_adjtimex, &tick)));
    printf("%ld", result_of(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &offset)));
    return asked < 0;
}
