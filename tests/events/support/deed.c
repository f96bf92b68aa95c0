// Makes the one system call that its arguments say, and prints what the call returned: a result, or a negative errno.
// Arguments: the call's name, then one for each of its own:
//   i:NUMBER   s:STRING   n: (no pointer)   o:FLAGS:PATH (a descriptor, opened before)   l:NUMBER,NUMBER... (in memory)
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 6, LONGS_MAX = 8 };

struct call {
    const char *name;
    long number;
};

#define CALL(name)                                                                                                     \
    { #name, SYS_##name }

static const struct call calls[] = {
#if defined(SYS_rename)
    CALL(rename),
    CALL(unlink),
    CALL(rmdir),
    CALL(mkdir),
    CALL(link),
    CALL(symlink),
    CALL(chmod),
    CALL(chown),
    CALL(lchown),
    CALL(mknod),
    CALL(utime),
    CALL(utimes),
    CALL(futimesat),
#endif
    CALL(renameat),
    CALL(renameat2),
    CALL(unlinkat),
    CALL(mkdirat),
    CALL(linkat),
    CALL(symlinkat),
    CALL(fchmod),
    CALL(fchmodat),
    {"fchmodat2", 452},
    CALL(fchown),
    CALL(fchownat),
    CALL(truncate),
    CALL(ftruncate),
    CALL(mknodat),
    CALL(mount),
    {"open_tree", 428},
    {"move_mount", 429},
    {"fsopen", 430},
    {"fsmount", 432},
    {"mount_setattr", 442},
    CALL(umount2),
    CALL(setxattr),
    CALL(lsetxattr),
    CALL(fsetxattr),
    {"setxattrat", 463},
    CALL(removexattr),
    CALL(lremovexattr),
    CALL(fremovexattr),
    {"removexattrat", 466},
    CALL(utimensat),
};

static int opened(const char *how) {
    char *path;
    long flags = strtol(how, &path, 0);
    int fd = open(path + 1, flags);
    if (fd < 0) perror(path + 1);
    return fd;
}

static long argument(const char *text, long *longs) {
    const char *value = text + 2;
    char *rest = (char *)value;
    switch (text[0]) {
    case 'i':
        return strtol(value, NULL, 0);
    case 's':
        return (long)value;
    case 'o':
        return opened(value);
    case 'l':
        for (int i = 0; i < LONGS_MAX && *rest; i++, rest += *rest == ',') longs[i] = strtol(rest, &rest, 0);
        return (long)longs;
    default:
        return 0;
    }
}

int main(int count, char **arguments) {
    long values[ARGUMENTS_MAX] = {0}, longs[ARGUMENTS_MAX][LONGS_MAX] = {{0}};
    long number = -1;
    if (count < 2 || count > 2 + ARGUMENTS_MAX) return 2;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (!strcmp(calls[i].name, arguments[1])) number = calls[i].number;
    if (number < 0) {
        fprintf(stderr, "no call %s\n", arguments[1]);
        return 2;
    }
    for (int i = 2; i < count; i++) values[i - 2] = argument(arguments[i], longs[i - 2]);
    umask(0);
    long result = syscall(number, values[0], values[1], values[2], values[3], values[4], values[5]);
    printf("%ld", result < 0 ? -(long)errno : result);
    return 0;
}
