// Has a ring do what its arguments say, with raw system calls, and prints what the operation returned.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 4, IDLE_MS = 100, POSITION = 3, REOPENINGS = 20 };

// Newer than the headers of the machine that compiles may be.
enum { OP_FTRUNCATE = 55, OP_BIND = 56, OP_LISTEN = 57 };

struct ring {
    int fd;
    unsigned *tail, *array, *mask, *head_done, *tail_done, *mask_done;
    struct io_uring_sqe *submissions;
    struct io_uring_cqe *completions;
};

static int ring_open(struct ring *ring, unsigned flags) {
    struct io_uring_params parameters = {.flags = flags, .sq_thread_idle = flags ? IDLE_MS : 0};
    ring->fd = syscall(SYS_io_uring_setup, ENTRIES, &parameters);
    if (ring->fd < 0) return -errno;
    size_t size = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
    size_t submissions_size = parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned);
    char *at = mmap(NULL, size > submissions_size ? size : submissions_size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
    ring->submissions = mmap(NULL, ENTRIES * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
    ring->tail = (unsigned *)(at + parameters.sq_off.tail);
    ring->mask = (unsigned *)(at + parameters.sq_off.ring_mask);
    ring->array = (unsigned *)(at + parameters.sq_off.array);
    ring->head_done = (unsigned *)(at + parameters.cq_off.head);
    ring->tail_done = (unsigned *)(at + parameters.cq_off.tail);
    ring->mask_done = (unsigned *)(at + parameters.cq_off.ring_mask);
    ring->completions = (struct io_uring_cqe *)(at + parameters.cq_off.cqes);
    return 0;
}

// Submits one operation and waits for its result; one that keeps its success to itself is not waited for.
static int ring_do(struct ring *ring, const struct io_uring_sqe *operation) {
    unsigned tail = *ring->tail, index = tail & *ring->mask;
    int silent = operation->flags & IOSQE_CQE_SKIP_SUCCESS;
    ring->submissions[index] = *operation;
    ring->array[index] = index;
    __atomic_store_n(ring->tail, tail + 1, __ATOMIC_RELEASE);
    unsigned flags = IORING_ENTER_SQ_WAKEUP | (silent ? 0 : IORING_ENTER_GETEVENTS);
    if (syscall(SYS_io_uring_enter, ring->fd, 1, silent ? 0 : 1, flags, NULL, 0) < 0) return -errno;
    if (silent) return 0;
    unsigned head = *ring->head_done;
    while (__atomic_load_n(ring->tail_done, __ATOMIC_ACQUIRE) == head)
        if (syscall(SYS_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return -errno;
    int result = ring->completions[head & *ring->mask_done].res;
    __atomic_store_n(ring->head_done, head + 1, __ATOMIC_RELEASE);
    return result;
}

static void fill_paths(struct io_uring_sqe *operation, const char *first, const char *second) {
    operation->fd = AT_FDCWD;
    operation->addr = (unsigned long)first;
    operation->addr2 = (unsigned long)second;
    operation->len = AT_FDCWD;
}

static void fill_write(struct io_uring_sqe *operation, const char *path, const char *text) {
    operation->opcode = IORING_OP_WRITE;
    operation->fd = open(path, O_RDWR | O_CREAT, 0640);
    operation->addr = (unsigned long)text;
    operation->addr2 = 0;
    operation->len = strlen(text);
    operation->off = POSITION;
}

static char hello[] = "hello, ", world[] = "world", room[16];
static char attribute[] = "user.test";
static struct iovec pieces[] = {{hello, sizeof(hello) - 1}, {world, sizeof(world) - 1}};
static struct sockaddr_in peer = {.sin_family = AF_INET};
static struct msghdr header = {.msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = pieces, .msg_iovlen = 2};

// A socket of the type, bound to a port of its own; `peer` is its address then.
static int bound_socket(int type) {
    socklen_t length = sizeof(peer);
    int fd = socket(AF_INET, type, 0);
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&peer, length) || getsockname(fd, (struct sockaddr *)&peer, &length)) exit(5);
    return fd;
}

static int server(void) {
    int fd = bound_socket(SOCK_STREAM);
    if (listen(fd, 1)) exit(5);
    return fd;
}

// A server at which a client waits.
static int server_with_client(void) {
    int fd = server();
    if (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&peer, sizeof(peer))) exit(5);
    return fd;
}

// A socket of datagrams that one waits in, sent by itself.
static int socket_with_datagram(void) {
    int fd = bound_socket(SOCK_DGRAM);
    if (sendto(fd, world, sizeof(world) - 1, 0, (struct sockaddr *)&peer, sizeof(peer)) < 0) exit(5);
    return fd;
}

// Operations on sockets, by the numbers of the submission that are not 0; false where it is none of them.
static int fill_socket(struct io_uring_sqe *operation, const char *what, int port) {
    struct io_uring_sqe fields = {0};
    if (!strcmp(what, "accept")) {
        fields = (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = server_with_client()};
        fields.accept_flags = SOCK_CLOEXEC;
    } else if (!strcmp(what, "bind")) {
        fields = (struct io_uring_sqe){.opcode = OP_BIND, .fd = socket(AF_INET, SOCK_STREAM, 0)};
        peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fields.addr = (unsigned long)&peer;
        fields.addr2 = sizeof(peer);
    } else if (!strcmp(what, "listen")) {
        fields = (struct io_uring_sqe){.opcode = OP_LISTEN, .fd = bound_socket(SOCK_STREAM), .len = 7};
    } else if (!strcmp(what, "shutdown")) {
        fields = (struct io_uring_sqe){.opcode = IORING_OP_SHUTDOWN, .fd = server(), .len = SHUT_RDWR};
    } else if (!strcmp(what, "send")) {
        fields = (struct io_uring_sqe){.opcode = IORING_OP_SEND, .fd = bound_socket(SOCK_DGRAM), .len = 5};
        fields.addr = (unsigned long)world;
        if (connect(fields.fd, (struct sockaddr *)&peer, sizeof(peer))) exit(5);
    } else if (!strcmp(what, "send_zc")) {
        fields = (struct io_uring_sqe){.opcode = IORING_OP_SEND_ZC, .fd = bound_socket(SOCK_DGRAM), .len = 5};
        fields.addr = (unsigned long)world;
        fields.addr2 = (unsigned long)&peer;
        fields.addr_len = sizeof(peer);
    } else if (!strcmp(what, "sendmsg")) {
        fields = (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG, .fd = bound_socket(SOCK_DGRAM), .len = 1};
        if (port) peer.sin_port = htons(port);
        fields.addr = (unsigned long)&header;
    } else if (!strcmp(what, "recv")) {
        fields = (struct io_uring_sqe){.opcode = IORING_OP_RECV, .fd = socket_with_datagram(), .len = sizeof(room)};
        fields.addr = (unsigned long)room;
    } else if (!strcmp(what, "recvmsg")) {
        fields = (struct io_uring_sqe){.opcode = IORING_OP_RECVMSG, .fd = socket_with_datagram(), .len = 1};
        pieces[0] = (struct iovec){room, sizeof(room)};
        header.msg_iovlen = 1;
        fields.addr = (unsigned long)&header;
    } else {
        return 0;
    }
    *operation = fields;
    return 1;
}

// Operations on files that are open, or on their attributes; false where it is none of them.
static int fill_file(struct io_uring_sqe *operation, const char *what, const char *path, const char *text) {
    int fd = open(path, O_RDWR | O_CREAT, 0640);
    if (!strcmp(what, "write")) {
        fill_write(operation, path, text);
    } else if (!strcmp(what, "ftruncate")) {
        *operation = (struct io_uring_sqe){.opcode = OP_FTRUNCATE, .fd = fd, .off = 11};
    } else if (strstr(what, "setxattr")) {
        int by_path = !strcmp(what, "setxattr");
        *operation = (struct io_uring_sqe){.opcode = by_path ? IORING_OP_SETXATTR : IORING_OP_FSETXATTR, .fd = fd};
        operation->addr = (unsigned long)attribute;
        operation->addr2 = (unsigned long)text;
        operation->len = strlen(text);
        operation->xattr_flags = 1;
        operation->addr3 = by_path ? (unsigned long)path : 0;
    } else {
        return 0;
    }
    return 1;
}

static void fill(struct io_uring_sqe *operation, const char *what, char **arguments, struct sockaddr_in *address) {
    const char *first = arguments[0], *second = arguments[1];
    fill_paths(operation, first, second);
    if (!strcmp(what, "open")) {
        operation->opcode = IORING_OP_OPENAT;
        operation->addr2 = 0;
        operation->len = 0640;
        operation->open_flags = O_RDWR | O_CREAT;
    } else if (!strcmp(what, "unlink")) {
        operation->opcode = IORING_OP_UNLINKAT;
        operation->addr2 = operation->len = 0;
    } else if (!strcmp(what, "rename")) {
        operation->opcode = IORING_OP_RENAMEAT;
    } else if (!strcmp(what, "mkdir")) {
        operation->opcode = IORING_OP_MKDIRAT;
        operation->addr2 = 0;
        operation->len = 0750;
    } else if (!strcmp(what, "symlink")) {
        operation->opcode = IORING_OP_SYMLINKAT;
        operation->len = 0;
    } else if (!strcmp(what, "link")) {
        operation->opcode = IORING_OP_LINKAT;
    } else if (!strcmp(what, "socket")) {
        operation->opcode = IORING_OP_SOCKET;
        operation->fd = AF_INET;
        operation->addr = operation->addr2 = 0;
        operation->off = SOCK_DGRAM;
        operation->len = 0;
    } else if (!strcmp(what, "connect")) {
        operation->opcode = IORING_OP_CONNECT;
        operation->fd = socket(AF_INET, SOCK_STREAM, 0);
        operation->addr = (unsigned long)address;
        operation->off = sizeof(*address);
        operation->len = 0;
        inet_pton(AF_INET, first, &address->sin_addr);
        address->sin_family = AF_INET;
        address->sin_port = htons(atoi(second));
    }
}

// The ring opens the file again and again, and each opening is written to by a system call.
static int open_and_write(struct ring *ring, struct io_uring_sqe *open_file) {
    int written = 0;
    for (int i = 0; i < REOPENINGS; i++) {
        int fd = ring_do(ring, open_file);
        if (fd < 0) return fd;
        written += write(fd, "x", 1);
        close(fd);
    }
    return written;
}

// The ring's own table has the file, in its first slot; the process has closed it.
static int use_slot(const struct ring *ring, struct io_uring_sqe *operation) {
    int failed = syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, &operation->fd, 1);
    close(operation->fd);
    operation->fd = 0;
    operation->flags |= IOSQE_FIXED_FILE;
    return failed;
}

// what, two arguments of it; then "thread" to have a thread of the kernel submit, "silent" to hear only of failures,
// "slot" to name the file by its slot in the ring's own table, "again" to open it again and again and write to it
int main(int count, char **arguments) {
    if (count < 5) return 2;
    struct ring ring;
    struct io_uring_sqe operation = {0};
    struct sockaddr_in address = {0};
    int opened = ring_open(&ring, strcmp(arguments[4], "thread") ? 0 : IORING_SETUP_SQPOLL);
    if (opened) return 3;
    umask(0);
    int registered = syscall(SYS_io_uring_register, ring.fd, 4095, NULL, 7) ? -errno : 0;
    if (!fill_socket(&operation, arguments[1], atoi(arguments[3])) &&
        !(strstr("write ftruncate setxattr fsetxattr", arguments[1]) &&
          fill_file(&operation, arguments[1], arguments[2], arguments[3])))
        fill(&operation, arguments[1], arguments + 2, &address);
    if (!strcmp(arguments[4], "silent")) operation.flags |= IOSQE_CQE_SKIP_SUCCESS;
    if (!strcmp(arguments[4], "slot") && use_slot(&ring, &operation)) return 4;
    int again = !strcmp(arguments[4], "again");
    int result = again ? open_and_write(&ring, &operation) : ring_do(&ring, &operation);
    printf("%d %d %d %d %d", result, ring.fd, registered, operation.fd, ntohs(peer.sin_port));
    return 0;
}
