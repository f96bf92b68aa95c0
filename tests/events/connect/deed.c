// Connects a socket as its arguments say, and prints what the call returned and the socket's own end.
#include "../support/address.h"

// family, type, address, port; "bad" as the type for a descriptor that is none
int main(int count, char **arguments) {
    if (count < 5) return 2;
    int family = atoi(arguments[1]);
    union address address;
    socklen_t length = address_fill(&address, family, arguments[3], atoi(arguments[4]));
    int fd = strcmp(arguments[2], "bad") ? socket(family, atoi(arguments[2]), 0) : 999;
    int result = result_of(connect(fd, &address.any, length));
    printf("%d %d %d", result, fd, address_own_port(fd));
    return 0;
}
