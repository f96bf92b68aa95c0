// Takes a connection that a child makes, lets both send a byte, and prints what the call returned, the descriptors,
// both ports and the child.
#include "../support/address.h"
#include <sys/wait.h>

static int accept_by(const char *call, int fd, int flags) {
    return strcmp(call, "accept4") ? accept(fd, NULL, NULL) : accept4(fd, NULL, NULL, flags);
}

// The child's pid; it ends when the other end is closed. Through `port` it tells its own.
static int connect_in_child(int family, int server, int *port) {
    union address address;
    socklen_t length = sizeof(address);
    int ends[2];
    if (getsockname(server, &address.any, &length) || pipe(ends)) return -1;
    int child = fork();
    if (child == 0) {
        char nothing;
        int fd = socket(family, SOCK_STREAM, 0);
        if (connect(fd, &address.any, length)) _exit(1);
        int own = address_own_port(fd);
        send(fd, "c", 1, MSG_NOSIGNAL);
        if (write(ends[1], &own, sizeof(own)) < 0 || read(fd, &nothing, 1) < 0) _exit(1);
        _exit(0);
    }
    return read(ends[0], port, sizeof(*port)) == sizeof(*port) ? child : -1;
}

// call, family, address, flags of accept4; "none" as the call for an accept that finds nobody
int main(int count, char **arguments) {
    if (count < 5) return 2;
    int family = atoi(arguments[2]);
    int is_alone = strcmp(arguments[1], "none") == 0;
    union address address;
    socklen_t length = address_fill(&address, family, arguments[3], 0);
    int fd = socket(family, SOCK_STREAM | (is_alone ? SOCK_NONBLOCK : 0), 0);
    if (bind(fd, &address.any, length) || listen(fd, 7)) return 3;
    int port = 0;
    int child = is_alone ? 0 : connect_in_child(family, fd, &port);
    if (child < 0) return 4;
    int result = result_of(accept_by(arguments[1], fd, atoi(arguments[4])));
    printf("%d %d %d %d %d", result, fd, address_own_port(fd), port, child);
    if (result >= 0) send(result, "s", 1, MSG_NOSIGNAL), close(result);
    return child && waitpid(child, NULL, 0) != child;
}
