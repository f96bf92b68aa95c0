// Ends in the way the first argument names: by a code, by a signal, or thread by thread.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_t leader;

// Ends the process as soon as the leader lets those that wait for it go on, which is in the middle of its end.
static void *follow(void *code) {
    pthread_join(leader, NULL);
    exit((int)(long)code);
}

static int leader_has_ended(void) {
    char path[64], line[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", getpid(), getpid());
    FILE *file = fopen(path, "r");
    if (!file) exit(3);
    const char *read = fgets(line, sizeof(line), file);
    fclose(file);
    const char *state = read ? strstr(line, ") ") : NULL;
    return state && state[2] == 'Z';
}

// Ends the process when nothing more is to come of the leader.
static void *outlive(void *code) {
    while (!leader_has_ended()) sched_yield();
    exit((int)(long)code);
}

static int leave_to(void *(*other)(void *), long code) {
    pthread_t thread;
    leader = pthread_self();
    if (pthread_create(&thread, NULL, other, (void *)code)) return 2;
    pthread_exit(NULL);
}

// Processes, one after the other, whose two threads end at about the same moment.
static int race(long count) {
    for (; count > 0; count--) {
        int status;
        pid_t child = fork();
        if (child == 0) return leave_to(follow, 5);
        if (child < 0 || waitpid(child, &status, 0) != child) return 2;
    }
    return 0;
}

// Dumps core where the system lets it, and prints what wait(2) says of it.
static void abort_in_child(void) {
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    int status;
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &unlimited);
        abort();
    }
    waitpid(child, &status, 0);
    printf("%d %d", child, WCOREDUMP(status) ? 1 : 0);
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    long value = count > 2 ? atol(arguments[2]) : 0;
    if (!strcmp(arguments[1], "code")) exit((int)value);
    if (!strcmp(arguments[1], "signal")) raise((int)value);
    if (!strcmp(arguments[1], "abort")) abort_in_child();
    if (!strcmp(arguments[1], "leader-first")) return leave_to(outlive, value);
    if (!strcmp(arguments[1], "race")) return race(value);
    return 0;
}
