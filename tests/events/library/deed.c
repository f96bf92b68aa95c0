// Maps the file it is given, to be executed or only to be read, as often as it is told; prints 0 or the errno.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PIECE_SIZE = 4096 };

// path, "exec" or "read", how often
int main(int count, char **arguments) {
    if (count < 4) return 2;
    int fd = open(arguments[1], O_RDONLY);
    int protection = PROT_READ | (strcmp(arguments[2], "exec") ? 0 : PROT_EXEC);
    for (int i = 0; i < atoi(arguments[3]); i++) {
        if (mmap(NULL, PIECE_SIZE, protection, MAP_PRIVATE, fd, PIECE_SIZE) != MAP_FAILED) continue;
        printf("%d", errno);
        return 0;
    }
    printf("0");
    return 0;
}
