// Makes a session or moves a process to another group, as the first argument names; prints the child's number.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count < 2) return 2;
    if (!strcmp(arguments[1], "refused")) return setpgid(1, 0) == 0;
    pid_t child = fork();
    if (child == 0) {
        if (!strcmp(arguments[1], "session")) return setsid() < 0;
        pause();
        return 0;
    }
    printf("%d", child);
    fflush(stdout);
    if (!strcmp(arguments[1], "group")) {
        setpgid(child, 0);
        kill(child, SIGKILL);
    }
    waitpid(child, NULL, 0);
    return 0;
}
