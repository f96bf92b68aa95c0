// Sends a signal to a child, itself, a number or a group, with the call that the first argument names.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void send_to_child(const char *call, pid_t child) {
    siginfo_t info = {.si_code = SI_QUEUE};
    if (!strcmp(call, "kill")) syscall(SYS_kill, child, SIGCONT);
    if (!strcmp(call, "group")) syscall(SYS_kill, -child, SIGCONT);
    if (!strcmp(call, "tkill")) syscall(SYS_tkill, child, SIGCONT);
    if (!strcmp(call, "tgkill")) syscall(SYS_tgkill, child, child, SIGCONT);
    if (!strcmp(call, "rt_sigqueueinfo")) syscall(SYS_rt_sigqueueinfo, child, SIGCONT, &info);
    if (!strcmp(call, "rt_tgsigqueueinfo")) syscall(SYS_rt_tgsigqueueinfo, child, child, SIGCONT, &info);
    if (!strcmp(call, "pidfd_send_signal")) {
        dup2(syscall(SYS_pidfd_open, child, 0), 9);
        syscall(SYS_pidfd_send_signal, 9, SIGCONT, NULL, 0);
    }
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    if (!strcmp(arguments[1], "number")) {
        syscall(SYS_kill, atoi(arguments[2]), atoi(arguments[3]));
        return 0;
    }
    if (!strcmp(arguments[1], "thread")) return syscall(SYS_tgkill, getpid(), gettid(), 0);
    if (!strcmp(arguments[1], "own-group")) {
        setpgid(0, 0);
        return syscall(SYS_kill, 0, SIGCONT);
    }
    pid_t child = fork();
    if (child == 0) {
        pause();
        return 0;
    }
    setpgid(child, child);
    printf("%d", child);
    send_to_child(arguments[1], child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}
