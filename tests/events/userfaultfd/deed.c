// Asks to handle page faults, once in a way there is and once in one there is not; prints what the calls returned.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// the flags
int main(int count, char **arguments) {
    if (count < 2) return 2;
    long fd = syscall(SYS_userfaultfd, strtoul(arguments[1], NULL, 0));
    printf("%ld", fd < 0 ? -errno : fd);
    return 0;
}
