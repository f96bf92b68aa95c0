// Copies a descriptor with the call that the first argument names.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FROM = 20, TO = 30 };

static long copy(const char *call) {
    if (!strcmp(call, "dup")) return syscall(SYS_dup, FROM);
#ifdef SYS_dup2
    if (!strcmp(call, "dup2")) return syscall(SYS_dup2, FROM, TO);
#endif
    if (!strcmp(call, "dup3")) return syscall(SYS_dup3, FROM, TO, O_CLOEXEC);
    if (!strcmp(call, "fcntl")) return fcntl(FROM, F_DUPFD_CLOEXEC, TO);
    if (!strcmp(call, "flags")) return fcntl(FROM, F_GETFL);
    if (!strcmp(call, "closed")) return syscall(SYS_dup, 99);
    return -1;
}

// Onto standard input, as a reverse shell does.
static long copy_connection(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to))) return -1;
    return syscall(SYS_dup3, fd, 0, 0);
}

static long steal_from_child(void) {
    pid_t child = fork();
    if (child == 0) {
        pause();
        return 0;
    }
    printf("%d ", child);
    syscall(SYS_dup3, syscall(SYS_pidfd_open, child, 0), TO, 0);
    long fd = syscall(SYS_pidfd_getfd, TO, FROM, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return fd;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    if (!strcmp(arguments[1], "socket")) return copy_connection(atoi(arguments[2])) != 0;
    int file = open(arguments[2], O_RDONLY);
    if (fcntl(file, F_DUPFD, FROM) != FROM) return 2;
    close(file);
    long fd = !strcmp(arguments[1], "steal") ? steal_from_child() : copy(arguments[1]);
    printf("%ld", fd);
    return 0;
}
