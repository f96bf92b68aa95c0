// Opens a file with the call, the flags and the mode its arguments name, and prints what the call returned.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { I386_OPEN = 5, LOW_PAGE_SIZE = 4096 };

static long by_openat2(int directory, const char *path, unsigned long long flags, unsigned mode) {
    struct open_how how = {.flags = flags, .mode = mode};
    return syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

// The 32-bit call from a 64-bit program: the path has to be where 32 bits reach it.
static long by_compat_open(const char *path, int flags) {
#if defined(__x86_64__)
    char *low = mmap(NULL, LOW_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result;
    strncpy(low, path, LOW_PAGE_SIZE - 1);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(I386_OPEN), "b"(low), "c"(flags), "d"(0) : "memory");
    return result;
#else
    (void)path;
    (void)flags;
    return -ENOSYS;
#endif
}

// A folder so deep that the way from it to the root is longer than what is walked.
static long in_deep_folder(int depth) {
    for (int i = 0; i < depth; i++)
        if (mkdir("deep", 0755) || chdir("deep")) return -errno;
    return open("leaf", O_CREAT | O_WRONLY, 0600);
}

// call, path, flags, mode; a folder to open first, as the directory's descriptor, or "-"
int main(int count, char **arguments) {
    if (count < 6) return 2;
    const char *call = arguments[1], *path = arguments[2];
    unsigned long long flags = strtoull(arguments[3], NULL, 0);
    unsigned mode = strtoul(arguments[4], NULL, 0);
    int directory = strcmp(arguments[5], "-") ? open(arguments[5], O_PATH | O_DIRECTORY) : AT_FDCWD;
    long result = -1;

    umask(0);
    errno = 0;
#if defined(SYS_open)
    if (!strcmp(call, "open")) result = syscall(SYS_open, path, flags, mode);
    if (!strcmp(call, "creat")) result = syscall(SYS_creat, path, mode);
#endif
    if (!strcmp(call, "openat")) result = syscall(SYS_openat, directory, path, flags, mode);
    if (!strcmp(call, "openat2")) result = by_openat2(directory, path, flags, mode);
    if (!strcmp(call, "compat")) result = by_compat_open(path, flags);
    if (!strcmp(call, "deep")) result = in_deep_folder(mode);
    printf("%ld", errno ? -errno : result);
    return 0;
}
