// One operation over and over, for measuring what the probe adds to it; told what to do line by line.
//
//   OPERATION BATCHES OPERATIONS   prints the CPU time of one operation in each batch, in ns, as a line of JSON
//   rate PER_SECOND SECONDS        opens and closes at a rate; prints how many it did and how long that took
//
// OPERATION is getppid, open (with the close), write (of a byte, to a file that stays open), exec (vfork, exec and
// wait) or connect (both ends, TCP on loopback). The first argument is the file that is opened. "operate nothing" ends
// at once: what is executed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
#define BATCHES_MAX 100000
#define BACKLOG_MAX 16
// Opens between two looks at the clock.
#define RATE_STEP 64

extern char **environ;

static const char *file;
static int listener = -1;
static struct sockaddr_in address = {.sin_family = AF_INET};

static void fail(const char *what) {
    fprintf(stderr, "operate: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t ns_of(struct timeval time) {
    return time.tv_sec * NS_PER_S + time.tv_usec * 1000LL;
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

// Of this process and of the children it has waited for.
static int64_t cpu_ns(void) {
    struct rusage children;
    getrusage(RUSAGE_CHILDREN, &children);
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) + ns_of(children.ru_utime) + ns_of(children.ru_stime);
}

static void do_getppid(void) {
    syscall(SYS_getppid);
}

static void do_open(void) {
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("open");
    close(fd);
}

static void do_write(void) {
    static int fd = -1;
    if (fd < 0) fd = open(file, O_WRONLY | O_CLOEXEC);
    if (pwrite(fd, "x", 1, 0) != 1) fail("write");
}

static void do_exec(void) {
    static char *const args[] = {"operate", "nothing", NULL};
    pid_t child = vfork();
    if (child == 0) {
        execve("/proc/self/exe", args, environ);
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) fail("exec");
}

static void listen_on_loopback(void) {
    socklen_t length = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length)) fail("bind");
    if (listen(listener, BACKLOG_MAX) || getsockname(listener, (struct sockaddr *)&address, &length)) fail("listen");
}

static void do_connect(void) {
    // Reset instead of a proper end: otherwise the ports would run out, each waiting for a minute.
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (listener < 0) listen_on_loopback();
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof(address))) fail("connect");
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(client);
    close(accepted);
}

static const struct {
    const char *name;
    void (*once)(void);
} operations[] = {
    {"getppid", do_getppid}, {"open", do_open}, {"write", do_write}, {"exec", do_exec}, {"connect", do_connect}};

static void measure(void (*once)(void), long batches, long count) {
    static double ns[BATCHES_MAX];
    for (long batch = 0; batch < batches; batch++) {
        int64_t before = cpu_ns();
        for (long i = 0; i < count; i++) once();
        ns[batch] = (double)(cpu_ns() - before) / (double)count;
    }
    printf("[");
    for (long batch = 0; batch < batches; batch++) printf("%s%.1f", batch ? "," : "", ns[batch]);
    printf("]\n");
}

static void open_at(double per_second, double seconds) {
    int64_t begin = clock_ns(CLOCK_MONOTONIC), now = begin;
    long done = 0;
    while (now - begin < seconds * NS_PER_S) {
        while (done < per_second * (double)(now - begin) / NS_PER_S) {
            for (int i = 0; i < RATE_STEP; i++) do_open();
            done += RATE_STEP;
            now = clock_ns(CLOCK_MONOTONIC);
            if (now - begin >= seconds * NS_PER_S) break;
        }
        now = clock_ns(CLOCK_MONOTONIC);
    }
    printf("{\"done\":%ld,\"seconds\":%.6f}\n", done, (double)(now - begin) / NS_PER_S);
}

int main(int argc, char **argv) {
    char word[16];
    double first, second;
    if (argc == 2 && !strcmp(argv[1], "nothing")) return 0;
    if (argc != 3) {
        fprintf(stderr, "usage: operate FILE CPU\n");
        return 2;
    }
    file = argv[1];
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(atoi(argv[2]), &cpus);
    if (sched_setaffinity(0, sizeof(cpus), &cpus)) fail("sched_setaffinity");
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (scanf("%15s %lf %lf", word, &first, &second) == 3) {
        if (!strcmp(word, "rate")) open_at(first, second);
        for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
            if (!strcmp(word, operations[i].name) && first <= BATCHES_MAX)
                measure(operations[i].once, (long)first, (long)second);
    }
    return 0;
}
