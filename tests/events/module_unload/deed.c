// Tries to remove a module that is not there, and prints what the call returned.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

// the module's name
int main(int count, char **arguments) {
    if (count < 2) return 2;
    printf("%d", syscall(SYS_delete_module, arguments[1], O_NONBLOCK | O_TRUNC) ? -errno : 0);
    return 0;
}
