// Traces a child in the way the first argument names; prints the child's number.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static long word = 5;

int main(int count, char **arguments) {
    if (count < 2) return 2;
    if (!strcmp(arguments[1], "nobody")) return ptrace(PTRACE_ATTACH, atoi(arguments[2]), 0x10, 0x20) == 0;
    pid_t child = fork();
    if (child == 0) {
        if (!strcmp(arguments[1], "me")) return ptrace(PTRACE_TRACEME, 0, 0, 0) != 0;
        pause();
        return 0;
    }
    printf("%d", child);
    fflush(stdout);
    if (!strcmp(arguments[1], "poke")) {
        if (ptrace(PTRACE_ATTACH, child, 0, 0) || waitpid(child, NULL, 0) < 0) return 2;
        if (ptrace(PTRACE_POKEDATA, child, &word, 7)) return 2;
        printf(" %lu", (unsigned long)&word);
        ptrace(PTRACE_DETACH, child, 0, 0);
        kill(child, SIGKILL);
    }
    waitpid(child, NULL, 0);
    return 0;
}
