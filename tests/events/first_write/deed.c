// Opens a file and writes to it in the way that is asked for, and prints the descriptor and what each write returned.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

enum { POSITION = 100 };

static char hello[] = "hello ";
static char world[] = "world";

static struct iovec pieces[] = {{hello, sizeof(hello) - 1}, {world, sizeof(world) - 1}};

// `from` is a descriptor of 11 bytes, or a pipe with them.
static long write_by(const char *call, int fd, int from) {
    off_t zero = 0, to = POSITION;
    if (!strcmp(call, "write")) return write(fd, world, sizeof(world) - 1);
    if (!strcmp(call, "pwrite64")) return pwrite(fd, world, sizeof(world) - 1, POSITION);
    if (!strcmp(call, "writev")) return writev(fd, pieces, 2);
    if (!strcmp(call, "pwritev")) return pwritev(fd, pieces, 2, POSITION);
    if (!strcmp(call, "pwritev2")) return pwritev2(fd, pieces, 2, -1, 0);
    if (!strcmp(call, "sendfile")) return sendfile(fd, from, &zero, sizeof(hello) + sizeof(world) - 2);
    if (!strcmp(call, "copy_file_range")) return copy_file_range(from, &zero, fd, &to, sizeof(world) - 1, 0);
    return splice(from, NULL, fd, NULL, sizeof(hello) + sizeof(world) - 2, 0);
}

static int source(const char *call, const char *path) {
    int both[2];
    if (strcmp(call, "splice")) return open(path, O_RDONLY);
    if (pipe(both) || writev(both[1], pieces, 2) < 0) exit(3);
    return both[0];
}

// call, path, flags of the open, a file of 11 bytes, how many openings, how many writes in each
int main(int count, char **arguments) {
    if (count < 7) return 2;
    const char *call = arguments[1];
    int openings = atoi(arguments[5]), writes = atoi(arguments[6]);
    for (int i = 0; i < openings; i++) {
        int from = source(call, arguments[4]);
        int fd = open(arguments[2], atoi(arguments[3]) | O_CREAT, 0640);
        if (fd < 0 || from < 0) return 4;
        printf("%s%d", i ? " " : "", fd);
        for (int j = 0; j < writes; j++) {
            // A duplicate is the same opening.
            int duplicate = j ? dup(fd) : fd;
            long result = write_by(call, duplicate, from);
            printf(" %ld", result < 0 ? -errno : result);
        }
        close(from);
        close(fd);
    }
    return 0;
}
