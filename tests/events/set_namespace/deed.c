// Leaves its namespaces in the way the first argument names.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **arguments) {
    struct stat facts;
    if (count < 2) return 2;
    if (!strcmp(arguments[1], "refused")) return setns(99, 0) == 0;
    if (!strcmp(arguments[1], "user")) return unshare(CLONE_NEWUSER);
    if (!strcmp(arguments[1], "pid")) return unshare(CLONE_NEWPID);
    int back = open("/proc/self/ns/uts", O_RDONLY);
    if (unshare(CLONE_NEWUTS | CLONE_NEWIPC) || stat("/proc/self/ns/uts", &facts)) return 2;
    printf("%lu", facts.st_ino);
    if (!strcmp(arguments[1], "uts")) return 0;
    dup2(back, 9);
    return setns(9, CLONE_NEWUTS);
}
