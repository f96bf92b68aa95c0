// Receives datagrams that it sent to itself, and prints what the call returned, the descriptor and both ports.
#include "../support/address.h"

enum { BUFFER_BYTES = 100, MESSAGES_MAX = 16 };

static int receive_many(int fd, struct msghdr *message, int count) {
    struct mmsghdr many[MESSAGES_MAX];
    for (int i = 0; i < count; i++) many[i] = (struct mmsghdr){.msg_hdr = *message};
    return recvmmsg(fd, many, count, 0, NULL);
}

static int receive_by(const char *call, int fd, int count) {
    static char buffer[BUFFER_BYTES];
    union address from;
    socklen_t length = sizeof(from);
    struct iovec piece = {buffer, sizeof(buffer)};
    struct msghdr message = {.msg_name = &from, .msg_namelen = length, .msg_iov = &piece, .msg_iovlen = 1};
    if (strcmp(call, "recvfrom") == 0) return recvfrom(fd, buffer, sizeof(buffer), 0, &from.any, &length);
    if (strcmp(call, "nothing") == 0) return recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, NULL, NULL);
    if (strcmp(call, "recvmsg") == 0) return recvmsg(fd, &message, 0);
    return receive_many(fd, &message, count);
}

// call, family, address, number of messages
int main(int count, char **arguments) {
    if (count < 5) return 2;
    int family = atoi(arguments[2]);
    int messages = atoi(arguments[4]);
    union address own;
    socklen_t length = address_fill(&own, family, arguments[3], 0);
    int fd = socket(family, SOCK_DGRAM, 0);
    int sender = socket(family, SOCK_DGRAM, 0);
    if (bind(fd, &own.any, length) || getsockname(fd, &own.any, &length)) return 3;
    for (int i = 0; i < messages; i++)
        if (sendto(sender, "hello", 5, 0, &own.any, length) != 5) return 4;
    int result = result_of(receive_by(arguments[1], fd, messages));
    printf("%d %d %d %d", result, fd, address_own_port(fd), address_own_port(sender));
    return 0;
}
