// Asks for a reboot with a magic number that there is not, so that nothing happens; prints what the call returned.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRONG_MAGIC = 1, MAGIC2 = 672274793 };

// the text for the firmware
int main(int count, char **arguments) {
    if (count < 2) return 2;
    const unsigned restart2 = 0xa1b2c3d4;
    printf("%d", syscall(SYS_reboot, WRONG_MAGIC, MAGIC2, restart2, arguments[1]) ? -errno : 0);
    return 0;
}
