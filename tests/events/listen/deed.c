// Has a socket take connections, and prints what the call returned, the descriptor and the port.
#include "../support/address.h"

// family, type, address, backlog
int main(int count, char **arguments) {
    if (count < 5) return 2;
    int family = atoi(arguments[1]);
    union address address;
    socklen_t length = address_fill(&address, family, arguments[3], 0);
    int fd = socket(family, atoi(arguments[2]), 0);
    if (bind(fd, &address.any, length)) return 3;
    int result = result_of(listen(fd, atoi(arguments[4])));
    printf("%d %d %d", result, fd, address_own_port(fd));
    return 0;
}
