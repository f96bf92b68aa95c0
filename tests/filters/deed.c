// Does what a script says, a line a deed: takes a name, opens files in many ways, connects, accepts, mounts.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_SIZE = 16384, WORDS = 4 };

// Nothing of the machine's own is changed: only what the test made is under the temporary folder.
static void write_to(int fd) {
    char link[32], path[64] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof(path) - 1) < 0 || strncmp(path, "/tmp/", 5)) return;
    if (write(fd, "x", 1) != 1 || write(fd, "y", 1) != 1) perror("write");
}

static void open_at(const char *directory, const char *path, int flags) {
    int from = strcmp(directory, "-") ? open(directory, O_PATH | O_DIRECTORY) : AT_FDCWD;
    int fd = openat(from, path, flags, 0600);
    if (fd >= 0 && flags & O_ACCMODE && !(flags & O_PATH)) write_to(fd);
    if (fd >= 0) close(fd);
    if (from >= 0) close(from);
}

static void connect_to(int family, const char *port) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
    int fd = socket(family, SOCK_DGRAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &four.sin_addr);
    six.sin6_addr = in6addr_loopback;
    if (family == AF_INET6)
        connect(fd, (struct sockaddr *)&six, sizeof(six));
    else
        connect(fd, (struct sockaddr *)&four, sizeof(four));
    close(fd);
}

// Connects to itself and takes that, then finds nobody to take.
static void accept_at(int family, const char *port) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
    six.sin6_addr = in6addr_loopback;
    inet_pton(AF_INET, "127.0.0.1", &four.sin_addr);
    struct sockaddr *address = family == AF_INET6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t size = family == AF_INET6 ? sizeof(six) : sizeof(four);
    int one = 1, server = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), client = socket(family, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(server, address, size) || listen(server, 1) || connect(client, address, size)) perror("accept");
    int taken = accept(server, NULL, NULL);
    accept4(server, NULL, NULL, SOCK_CLOEXEC);
    close(taken);
    close(client);
    close(server);
}

// A network of its own, so that its ports are free.
static int own_network(void) {
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET)) return -1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int failed = ioctl(fd, SIOCSIFFLAGS, &loopback);
    close(fd);
    return failed;
}

static void connect_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    connect(fd, (struct sockaddr *)&address, sizeof(address));
    close(fd);
}

// A folder so deep that the way from it to the root is longer than what is walked, and a file in it.
static void open_deep(const char *folder, int depth, const char *leaf) {
    int home = open(".", O_PATH | O_DIRECTORY);
    if (chdir(folder)) _exit(3);
    for (int i = 0; i < depth; i++) {
        mkdir("deep", 0755);
        if (chdir("deep")) _exit(3);
    }
    open_at("-", leaf, O_CREAT | O_RDWR);
    open_at("-", leaf, O_RDONLY);
    if (fchdir(home)) _exit(3);
}

static void mount_over(const char *what, const char *where) {
    if (mount(what, where, NULL, MS_BIND, NULL)) perror("mount");
}

// Words are separated by tabs: paths may have blanks.
int main(int count, char **arguments) {
    static char line[LINE_SIZE];
    FILE *script = count > 1 ? fopen(arguments[1], "re") : NULL;
    if (!script || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return 2;
    if (own_network()) return 2;
    while (fgets(line, sizeof(line), script)) {
        char *words[WORDS] = {"", "", "", ""}, *rest = line;
        line[strcspn(line, "\n")] = 0;
        for (int i = 0; i < WORDS && rest; i++) words[i] = strsep(&rest, "\t");
        if (!strcmp(words[0], "name")) prctl(PR_SET_NAME, words[1]);
        if (!strcmp(words[0], "open")) open_at(words[3], words[1], strtol(words[2], NULL, 0));
        if (!strcmp(words[0], "deep")) open_deep(words[1], atoi(words[2]), words[3]);
        if (!strcmp(words[0], "mount")) mount_over(words[1], words[2]);
        if (!strcmp(words[0], "connect")) connect_to(atoi(words[1]), words[2]);
        if (!strcmp(words[0], "accept")) accept_at(atoi(words[1]), words[2]);
        if (!strcmp(words[0], "unix")) connect_unix(words[1]);
    }
    return 0;
}
