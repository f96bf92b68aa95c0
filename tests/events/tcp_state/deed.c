// Connects without waiting, waits for what becomes of it, sends a little, closes; prints its own port.
#include "../support/address.h"
#include <poll.h>

// family, address, port
int main(int count, char **arguments) {
    if (count < 4) return 2;
    int family = atoi(arguments[1]);
    union address address;
    socklen_t length = address_fill(&address, family, arguments[2], atoi(arguments[3]));
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(fd, &address.any, length) == 0 || errno != EINPROGRESS) return 3;
    printf("%d", address_own_port(fd));
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    poll(&wait, 1, -1);
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (!error && send(fd, "hello", 5, 0) != 5) return 4;
    close(fd);
    return 0;
}
