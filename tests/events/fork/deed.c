// Makes a child with the call that the first argument names, and prints the child's number.
#define _GNU_SOURCE
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *argument) {
    return argument;
}

static long clone3_child(unsigned long long flags) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    return syscall(SYS_clone3, &arguments, sizeof(arguments));
}

int main(int count, char **arguments) {
    long child = -1;
    if (count < 2) return 2;
    if (!strcmp(arguments[1], "fork")) child = syscall(SYS_fork);
    if (!strcmp(arguments[1], "clone")) child = syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
    if (!strcmp(arguments[1], "clone3")) child = clone3_child(CLONE_FILES);
    if (!strcmp(arguments[1], "clone-parent")) child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (!strcmp(arguments[1], "pid-namespace")) child = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (!strcmp(arguments[1], "vfork")) {
        child = vfork();
        if (child == 0) _exit(0);
    }
    if (!strcmp(arguments[1], "thread")) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL)) return 2;
        child = 1;
    }
    if (child == 0) _exit(0);
    if (child < 0) perror(arguments[1]);
    printf("%ld", child);
    fflush(stdout);
    wait(NULL);
    return 0;
}
