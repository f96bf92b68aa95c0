// Ends directions of a connection, and prints what the call returned and the descriptor.
#include "../support/address.h"

// "pair", or "alone" for a socket that is not connected; SHUT_*
int main(int count, char **arguments) {
    if (count < 3) return 2;
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) return 3;
    int fd = strcmp(arguments[1], "pair") ? socket(AF_INET, SOCK_STREAM, 0) : fds[1];
    printf("%d %d", result_of(shutdown(fd, atoi(arguments[2]))), fd);
    return 0;
}
