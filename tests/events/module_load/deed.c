// Tries to load a module from a file, and one from memory, that the kernel refuses; prints what the calls returned.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { IGNORE_VERMAGIC = 2 };

// the file, the parameters
int main(int count, char **arguments) {
    if (count < 3) return 2;
    static char image[] = "this is no module";
    int fd = open(arguments[1], O_RDONLY);
    long from_file = syscall(SYS_finit_module, fd, arguments[2], IGNORE_VERMAGIC) ? -errno : 0;
    long from_memory = syscall(SYS_init_module, image, sizeof(image), arguments[2]) ? -errno : 0;
    printf("%d %ld %ld", fd, from_file, from_memory);
    return 0;
}
