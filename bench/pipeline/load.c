// The load of the pipeline benchmark: a bounded number of one operation, as fast as it goes or at a rate.
//
//   load exec|open|connect COUNT SECONDS RATE FILE   does COUNT operations or as many as SECONDS allow; RATE a second,
//                                                    0 for as fast as it goes; prints one line of JSON
//   load deeds FILE                                  opens FILE for each line on standard input, and prints in ns:
//                                                    CLOCK_MONOTONIC and CLOCK_BOOTTIME just before, and the latter
//                                                    just after
//   load nothing                                     ends at once: what the exec storm executes
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
// Sleeping less than this costs more than it gains: a few operations are done at once instead.
#define SLEEP_NS_MIN 500000LL
#define BACKLOG_MAX 16

extern char **environ;

static const char *file;
static struct sockaddr_in listener_address = {.sin_family = AF_INET};
static int listener = -1;

static int64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int exec_once(void) {
    static char *const args[] = {"load", "nothing", NULL};
    // vfork and execve are what a shell's own fork costs the kernel, without the signal calls of posix_spawn.
    pid_t child = vfork();
    if (child == 0) {
        execve("/proc/self/exe", args, environ);
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return status == 0 ? 0 : -1;
}

static int open_once(void) {
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    return descriptor < 0 ? -1 : close(descriptor);
}

static void listen_on_loopback(void) {
    socklen_t length = sizeof(listener_address);
    listener_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&listener_address, length) != 0) fail("bind");
    if (listen(listener, BACKLOG_MAX) != 0) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&listener_address, &length) != 0) fail("getsockname");
}

static int connect_once(void) {
    // Reset instead of a proper end: otherwise the ports would run out, each waiting for a minute.
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0) return -1;
    int result = connect(client, (struct sockaddr *)&listener_address, sizeof(listener_address));
    int accepted = result == 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(client);
    return accepted < 0 ? -1 : close(accepted);
}

static const struct operation {
    const char *name;
    void (*prepare)(void);
    int (*once)(void);
} operations[] = {
    {"exec", NULL, exec_once},
    {"open", NULL, open_once},
    {"connect", listen_on_loopback, connect_once},
};

static double cpu_seconds(int who, int system) {
    struct rusage usage;
    getrusage(who, &usage);
    struct timeval part = system ? usage.ru_stime : usage.ru_utime;
    return (double)part.tv_sec + (double)part.tv_usec / 1e6;
}

// Waits until the operation of this number is due.
static void pace(int64_t start_ns, int64_t number, double rate) {
    int64_t due_ns = start_ns + (int64_t)((double)number / rate * NS_PER_S);
    if (due_ns - now_ns(CLOCK_MONOTONIC) < SLEEP_NS_MIN) return;
    struct timespec due = {.tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static int storm(const struct operation *operation, int64_t count_max, double seconds_max, double rate) {
    if (operation->prepare) operation->prepare();
    int64_t start_ns = now_ns(CLOCK_MONOTONIC);
    int64_t end_ns = start_ns + (int64_t)(seconds_max * NS_PER_S);
    int64_t done = 0, failed = 0;
    while (done < count_max && now_ns(CLOCK_MONOTONIC) < end_ns) {
        if (rate > 0) pace(start_ns, done, rate);
        if (operation->once() != 0) failed++;
        done++;
    }
    double wall_s = (double)(now_ns(CLOCK_MONOTONIC) - start_ns) / NS_PER_S;
    double user_s = cpu_seconds(RUSAGE_SELF, 0) + cpu_seconds(RUSAGE_CHILDREN, 0);
    double system_s = cpu_seconds(RUSAGE_SELF, 1) + cpu_seconds(RUSAGE_CHILDREN, 1);
    printf("{\"operation\":\"%s\",\"done\":%lld,\"failed\":%lld,\"wallS\":%.6f,\"userS\":%.6f,\"systemS\":%.6f}\n",
           operation->name, (long long)done, (long long)failed, wall_s, user_s, system_s);
    return 0;
}

static int deeds(void) {
    char line[16];
    while (fgets(line, sizeof(line), stdin)) {
        int64_t monotonic_ns = now_ns(CLOCK_MONOTONIC);
        int64_t before_ns = now_ns(CLOCK_BOOTTIME);
        int result = open_once();
        int64_t after_ns = now_ns(CLOCK_BOOTTIME);
        if (result != 0) fail(file);
        printf("%lld %lld %lld\n", (long long)monotonic_ns, (long long)before_ns, (long long)after_ns);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "nothing") == 0) return 0;
    if (argc == 3 && strcmp(argv[1], "deeds") == 0) {
        file = argv[2];
        return deeds();
    }
    for (size_t i = 0; argc == 6 && i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(argv[1], operations[i].name) != 0) continue;
        file = argv[5];
        return storm(&operations[i], atoll(argv[2]), atof(argv[3]), atof(argv[4]));
    }
    fprintf(stderr, "usage: load exec|open|connect COUNT SECONDS RATE FILE | load deeds FILE | load nothing\n");
    return 2;
}
