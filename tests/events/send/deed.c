// Sends datagrams to itself in the way that is asked for, and prints what the call returned, the descriptor and ports.
#include "../support/address.h"

enum { MESSAGES_MAX = 16 };

static char hello[] = "hello ";
static char world[] = "world";

static struct iovec pieces[] = {{hello, sizeof(hello) - 1}, {world, sizeof(world) - 1}};

static int send_many(int fd, const struct msghdr *message, int count) {
    struct mmsghdr many[MESSAGES_MAX];
    for (int i = 0; i < count; i++) many[i] = (struct mmsghdr){.msg_hdr = *message};
    return sendmmsg(fd, many, count, MSG_NOSIGNAL);
}

static int send_by(const char *call, int fd, union address *to, socklen_t length, int count) {
    struct msghdr message = {.msg_name = to, .msg_namelen = length, .msg_iov = pieces, .msg_iovlen = 2};
    if (strcmp(call, "sendto") == 0) return sendto(fd, world, sizeof(world) - 1, MSG_NOSIGNAL, &to->any, length);
    if (strcmp(call, "send") == 0) return send(fd, world, sizeof(world) - 1, MSG_NOSIGNAL);
    if (strcmp(call, "sendmsg") == 0) return sendmsg(fd, &message, MSG_NOSIGNAL);
    return send_many(fd, &message, count);
}

// call, family, address, port (0 for a socket of its own), number of messages
int main(int count, char **arguments) {
    if (count < 6) return 2;
    int family = atoi(arguments[2]);
    int port = atoi(arguments[4]);
    union address to;
    socklen_t length = address_fill(&to, family, arguments[3], port);
    int receiver = socket(family, SOCK_DGRAM, 0);
    if (!port && (bind(receiver, &to.any, length) || getsockname(receiver, &to.any, &length))) return 3;
    int fd = socket(family, SOCK_DGRAM, 0);
    if (strcmp(arguments[1], "send") == 0 && connect(fd, &to.any, length)) return 4;
    int result = result_of(send_by(arguments[1], fd, &to, length, atoi(arguments[5])));
    printf("%d %d %d %d", result, fd, address_own_port(fd), address_own_port(receiver));
    return 0;
}
