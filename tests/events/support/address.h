// Addresses of sockets as a deed's arguments write them, and the port that a socket has.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
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

static inline socklen_t address_fill(union address *to, int family, const char *address, int port) {
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

// 0 where it has none.
static inline int address_own_port(int fd) {
    union address own = {0};
    socklen_t length = sizeof(own);
    if (getsockname(fd, &own.any, &length)) return 0;
    if (own.any.sa_family == AF_INET6) return ntohs(own.ipv6.sin6_port);
    return own.any.sa_family == AF_INET ? ntohs(own.ipv4.sin_port) : 0;
}

// What a call that returned -1 returned in truth.
static inline int result_of(int returned) {
    return returned < 0 ? -errno : returned;
}
