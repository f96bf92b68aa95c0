// Makes a file in memory with the name and the flags given.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int count, char **arguments) {
    struct stat facts = {0};
    if (count < 3) return 2;
    int fd = memfd_create(arguments[1], strtoul(arguments[2], NULL, 0));
    if (fd >= 0 && fstat(fd, &facts)) return 2;
    printf("%d %lu", fd, facts.st_ino);
    return 0;
}
