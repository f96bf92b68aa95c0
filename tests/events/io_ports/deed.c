// Asks for ports of devices, and for all of them, without the right to them; prints what the calls returned.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534, PORT = 0x378, PORTS = 3, ALL = 3 };

int main(void) {
    if (setgid(NOBODY) || setuid(NOBODY)) return 3;
#if defined(__x86_64__)
    long ports = syscall(SYS_ioperm, PORT, PORTS, 1) ? -errno : 0;
    long all = syscall(SYS_iopl, ALL) ? -errno : 0;
    printf("%ld %ld", ports, all);
#endif
    return 0;
}
