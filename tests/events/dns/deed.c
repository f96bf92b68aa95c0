// Asks the DNS server on the loopback interface as resolvers of many kinds do, and prints which calls failed.
#include "../support/address.h"
#include <sys/uio.h>

// As many bytes as an answer has here.
static char answer[4096];

static int server_socket(int type, int family, union address *server, socklen_t *length, int is_connected) {
    int fd = socket(family, type, 0);
    *length = address_fill(server, family, family == AF_INET6 ? "::1" : "127.0.0.1", 53);
    if (is_connected && connect(fd, &server->any, *length)) exit(3);
    return fd;
}

// A connected socket, read and written like a file: Go's own resolver.
static void ask_as_file(const char *query, int size, int family) {
    union address server;
    socklen_t length;
    int fd = server_socket(SOCK_DGRAM, family, &server, &length, 1);
    if (write(fd, query, size) != size || read(fd, answer, sizeof(answer)) < 12) exit(4);
}

// No connection, the server in each message: musl.
static void ask_by_name(const char *query, int size, int family) {
    union address server, from;
    socklen_t length, from_length = sizeof(from);
    int fd = server_socket(SOCK_DGRAM, family, &server, &length, 0);
    if (sendto(fd, query, size, 0, &server.any, length) != size) exit(4);
    if (recvfrom(fd, answer, sizeof(answer), 0, &from.any, &from_length) < 12) exit(5);
}

// The same with structures: what musl does now, and systemd-resolved.
static void ask_by_message(const char *query, int size, int family) {
    union address server, from;
    socklen_t length;
    int fd = server_socket(SOCK_DGRAM, family, &server, &length, 0);
    struct iovec out = {(void *)query, size}, in = {answer, sizeof(answer)};
    struct msghdr question = {.msg_name = &server, .msg_namelen = length, .msg_iov = &out, .msg_iovlen = 1};
    struct msghdr reply = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &in, .msg_iovlen = 1};
    if (sendmsg(fd, &question, 0) != size) exit(4);
    if (recvmsg(fd, &reply, MSG_PEEK) < 12 || recvmsg(fd, &reply, 0) < 12) exit(5);
}

// Two questions in one call: glibc, which asks for both families at once.
static void ask_twice(const char *query, int size, int family) {
    union address server;
    socklen_t length;
    int fd = server_socket(SOCK_DGRAM, family, &server, &length, 1);
    struct iovec piece = {(void *)query, size};
    struct mmsghdr both[2] = {{.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}}};
    both[1] = both[0];
    if (sendmmsg(fd, both, 2, 0) != 2) exit(4);
    for (int i = 0; i < 2; i++)
        if (recv(fd, answer, sizeof(answer), 0) < 12) exit(5);
}

// Through a connection, the length first: written with the question, but read before the answer.
static void ask_through_tcp(const char *query, int size, int family) {
    union address server;
    socklen_t length;
    int fd = server_socket(SOCK_STREAM, family, &server, &length, 1);
    unsigned char head[2] = {size >> 8, size};
    struct iovec pieces[] = {{head, 2}, {(void *)query, size}};
    if (writev(fd, pieces, 2) != size + 2) exit(4);
    if (recv(fd, head, 2, MSG_WAITALL) != 2) exit(5);
    if (recv(fd, answer, head[0] << 8 | head[1], MSG_WAITALL) < 12) exit(6);
}

// A socket that never was the server's, read and written like a file: of no concern.
static void ask_nobody(const char *query, int size, int family) {
    int fds[2];
    (void)family;
    if (pipe(fds) || write(fds[1], query, size) != size || read(fds[0], answer, sizeof(answer)) != size) exit(4);
}

static const struct {
    const char *name;
    void (*ask)(const char *query, int size, int family);
} ways[] = {{"file", ask_as_file}, {"name", ask_by_name},    {"message", ask_by_message},
            {"twice", ask_twice},  {"tcp", ask_through_tcp}, {"pipe", ask_nobody}};

// way, family, the query in hexadecimal
int main(int count, char **arguments) {
    if (count < 4) return 2;
    char query[4096];
    int size = 0;
    for (const char *at = arguments[3]; at[0] && at[1] && size < (int)sizeof(query); at += 2) {
        char byte[3] = {at[0], at[1], 0};
        query[size++] = strtol(byte, NULL, 16);
    }
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, arguments[1]) == 0) ways[i].ask(query, size, atoi(arguments[2]));
    return 0;
}
