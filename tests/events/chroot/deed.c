// Changes its root directory to the second argument in the way the first one names.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what) {
    perror(what);
    return 2;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    const char *folder = arguments[2];
    if (!strcmp(arguments[1], "chroot")) return chroot(folder) && 0;
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return fail("unshare");
    if (mount("nightjar", folder, "tmpfs", 0, NULL) || chdir(folder) || mkdir("old", 0700)) return fail(folder);
    if (syscall(SYS_pivot_root, ".", "old")) return fail("pivot_root");
    return 0;
}
