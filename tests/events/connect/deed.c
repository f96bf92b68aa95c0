// Connects a socket as its arguments say, and prints what the call returned and the socket's own end.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un local;
};

static socklen_t fill(union address *to, int family, const char *address, int port) {
    memset(to, 0, sizeof(*to));
    to->any.sa_family = family;
    if (family == AF_INET) {
        inet_pton(AF_INET, address, &to->ipv4.sin_addr);
        to->ipv4.sin_port = htons(port);
        return sizeof(to->ipv4);
    }
    if (family == AF_INET6) {
        inet_pton(AF_INET6, address, &to->ipv6.sin6_addr);
        to->ipv6.sin6_port = htons(port);
        return sizeof(to->ipv6);
    }
    size_t length = strlen(address);
    memcpy(to->local.sun_path, address, length);
    // An abstract name begins with a NUL, here written as @.
    if (address[0] == '@') to->local.sun_path[0] = 0;
    return offsetof(struct sockaddr_un, sun_path) + length + (address[0] != '@');
}

static int own_port(int fd) {
    union address own;
    socklen_t length = sizeof(own);
    if (getsockname(fd, &own.any, &length)) return 0;
    return ntohs(own.any.sa_family == AF_INET6 ? own.ipv6.sin6_port : own.ipv4.sin_port);
}

// family, type, address, port; "bad" as the type for a descriptor that is none
int main(int count, char **arguments) {
    if (count < 5) return 2;
    int family = atoi(arguments[1]);
    union address address;
    socklen_t length = fill(&address, family, arguments[3], atoi(arguments[4]));
    int fd = strcmp(arguments[2], "bad") ? socket(family, atoi(arguments[2]), 0) : 999;
    int failed = connect(fd, &address.any, length);
    int result = failed ? -errno : 0;
    int port = family == AF_UNIX || fd == 999 ? 0 : own_port(fd);
    printf("%d %d %d", result, fd, port);
    return 0;
}
