// Ends in the way the first argument names: by a code, by a signal, or thread by thread.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_t leader;

static void *outlive(void *code) {
    pthread_join(leader, NULL);
    exit((int)(long)code);
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
    if (!strcmp(arguments[1], "leader-first")) {
        pthread_t thread;
        leader = pthread_self();
        if (pthread_create(&thread, NULL, outlive, (void *)value)) return 2;
        pthread_exit(NULL);
    }
    return 0;
}
