// Maps memory as it is told, writes to it, and protects it otherwise; prints the addresses and results of both calls.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PIECE_SIZE = 4096, PIECES = 4 };

// Of the protection it is mapped with, its flags, the file or "", "write" or "leave", the protection then or -1; a key
// for pkey_mprotect.
int main(int count, char **arguments) {
    if (count < 6) return 2;
    int fd = *arguments[3] ? open(arguments[3], O_RDWR) : -1;
    int then = atoi(arguments[5]);
    char *mapped = mmap(NULL, PIECES * PIECE_SIZE, atoi(arguments[1]), atoi(arguments[2]), fd, 0);
    printf("%ld", mapped == MAP_FAILED ? -(long)errno : (long)mapped);
    if (then < 0) return 0;
    char *piece = mapped + PIECE_SIZE;
    if (!strcmp(arguments[4], "write")) *piece = 'x';
    long result = count > 6 ? syscall(SYS_pkey_mprotect, piece, PIECE_SIZE, then, atoi(arguments[6]))
                            : mprotect(piece, PIECE_SIZE, then);
    printf(" %ld %ld", (long)piece, result ? -(long)errno : 0L);
    return 0;
}
