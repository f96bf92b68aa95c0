// Makes a pair of sockets as its arguments say, and prints what the call returned and both descriptors.
#include "../support/address.h"

// family, type
int main(int count, char **arguments) {
    if (count < 3) return 2;
    int fds[2] = {-1, -1};
    int result = result_of(socketpair(atoi(arguments[1]), atoi(arguments[2]), 0, fds));
    // The kernel writes the numbers it has in mind before it knows whether it can.
    if (result) fds[0] = fds[1] = -1;
    printf("%d %d %d", result, fds[0], fds[1]);
    return 0;
}
