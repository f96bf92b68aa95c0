// Makes a socket as its arguments say, and prints what the call returned.
#include "../support/address.h"

// family, type, protocol
int main(int count, char **arguments) {
    if (count < 4) return 2;
    printf("%d", result_of(socket(atoi(arguments[1]), atoi(arguments[2]), atoi(arguments[3]))));
    return 0;
}
