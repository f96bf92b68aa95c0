// Runs a program, itself or another, in the way the first argument names.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STDIO_DESCRIPTORS = 3, ARGUMENT_BYTES_MAX = 64 };

static char self[] = "/proc/self/exe";

static int fail(const char *what) {
    perror(what);
    return 2;
}

static int run_from_memfd(char *name) {
    int from = open(self, O_RDONLY | O_CLOEXEC), to = memfd_create(name, MFD_CLOEXEC);
    struct stat facts;
    if (from < 0 || to < 0 || fstat(from, &facts)) return fail("memfd");
    if (sendfile(to, from, NULL, facts.st_size) != facts.st_size) return fail("sendfile");
    char *arguments[] = {name, "leaf", NULL}, *environment[] = {NULL};
    syscall(SYS_execveat, to, "", arguments, environment, AT_EMPTY_PATH);
    return fail("execveat");
}

static int run_unlinked(char *path) {
    int file = open(path, O_PATH | O_CLOEXEC);
    char *arguments[] = {path, "leaf", NULL}, *environment[] = {NULL};
    if (file < 0 || unlink(path)) return fail(path);
    syscall(SYS_execveat, file, "", arguments, environment, AT_EMPTY_PATH);
    return fail("execveat");
}

// All three descriptors on one TCP connection, as a reverse shell has them.
static int run_on_socket(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in own;
    socklen_t length = sizeof(own);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[ARGUMENT_BYTES_MAX];
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) || getsockname(fd, (struct sockaddr *)&own, &length))
        return fail("connect");
    snprintf(text, sizeof(text), "%d", ntohs(own.sin_port));
    for (int i = 0; i < STDIO_DESCRIPTORS; i++) dup2(fd, i);
    execl(self, "on-socket", "leaf", text, NULL);
    return 2;
}

// A session of its own with a controlling terminal, of which two descriptors are kept and one is closed.
static int run_on_terminal(void) {
    int owner = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), number;
    if (owner < 0 || grantpt(owner) || unlockpt(owner) || ioctl(owner, TIOCGPTN, &number)) return fail("posix_openpt");
    printf("%d", number);
    fflush(stdout);
    setsid();
    int terminal = open(ptsname(owner), O_RDWR);
    if (terminal < 0) return fail("terminal");
    dup2(terminal, 0);
    dup2(terminal, 1);
    close(2);
    execl(self, "on-terminal", "leaf", NULL);
    return 2;
}

// Children that are gone at once, each with an argument of its own.
static int run_burst(int count) {
    char text[ARGUMENT_BYTES_MAX];
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "number-%d", i);
        pid_t child = vfork();
        if (child == 0) {
            execl(self, "burst", "leaf", text, NULL);
            _exit(2);
        }
    }
    while (wait(NULL) > 0) continue;
    return 0;
}

int main(int count, char **arguments) {
    if (count < 2) return 0;
    if (!strcmp(arguments[1], "leaf")) return 0;
    if (!strcmp(arguments[1], "memfd")) return run_from_memfd(arguments[2]);
    if (!strcmp(arguments[1], "unlinked")) return run_unlinked(arguments[2]);
    if (!strcmp(arguments[1], "socket")) return run_on_socket(atoi(arguments[2]));
    if (!strcmp(arguments[1], "terminal")) return run_on_terminal();
    if (!strcmp(arguments[1], "burst")) return run_burst(atoi(arguments[2]));
    return 0;
}
