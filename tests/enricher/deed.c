// SPDX-License-Identifier: Apache-2.0
// What a process may do to make a process tree go wrong. The first argument says which.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) {
    perror(what);
    return 1;
}

/** Opens the file that the test listens to. */
static void mark(const char *marker) {
    int fd = open(marker, O_RDONLY);
    if (fd >= 0) close(fd);
}

static int rename_often(int count, const char *marker) {
    for (int time = 0; time < count; time++) {
        char name[16];
        snprintf(name, sizeof(name), "name-%d", time);
        prctl(PR_SET_NAME, name);
        mark(marker);
    }
    return 0;
}

/** Makes children that all have the same pid, one after the other. */
static int reuse_pid(int pid, int count, const char *marker) {
    for (int life = 0; life < count; life++) {
        pid_t wanted = pid;
        struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1};
        long child = syscall(SYS_clone3, &args, sizeof(args));
        if (child < 0) return fail("clone3");
        if (child == 0) {
            char name[16];
            snprintf(name, sizeof(name), "life-%d", life);
            prctl(PR_SET_NAME, name);
            mark(marker);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}

static int run_leaves(int count, const char *self) {
    for (int leaf = 0; leaf < count; leaf++) {
        pid_t child = fork();
        if (child < 0) return fail("fork");
        if (child == 0) {
            char number[16];
            snprintf(number, sizeof(number), "%d", leaf);
            execl(self, "reused", "leaf", number, NULL);
            _exit(1);
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}

/** Runs programs in a pid namespace of its own that has few pids; 77 where the kernel has no such limit. */
static int run_in_small_namespace(int count, const char *pid_max, const char *self) {
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) return fail("unshare");
    pid_t init = fork();
    if (init < 0) return fail("fork");
    if (init == 0) {
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) _exit(fail("mount"));
        if (mount("proc", "/proc", "proc", 0, NULL) < 0) _exit(fail("mount proc"));
        int fd = open("/proc/sys/kernel/pid_max", O_WRONLY);
        if (fd < 0 || write(fd, pid_max, strlen(pid_max)) < 0) _exit(77);
        close(fd);
        _exit(run_leaves(count, self));
    }
    int status;
    waitpid(init, &status, 0);
    return WEXITSTATUS(status);
}

/** Makes children that do nothing, so many at once, until there were so many. */
static int bomb(int count, int burst) {
    for (int made = 0; made < count;) {
        int alive = 0;
        for (; alive < burst && made < count; alive++, made++) {
            pid_t child = fork();
            if (child < 0) return fail("fork");
            if (child == 0) _exit(0);
        }
        while (alive-- > 0) wait(NULL);
    }
    return 0;
}

/** Goes down folders until a file "deed" there has a path of `length` bytes, and runs itself from there. */
static int go_deep(const char *folder, int length, const char *self) {
    if (chdir(folder) < 0) return fail("chdir");
    int at = strlen(folder);
    int end = length - (int)strlen("/deed");
    while (at < end) {
        char name[256] = {0};
        int left = end - at - 1;
        // What is left behind must have room for a name, too.
        int size = left <= 200 ? left : left < 202 ? 100 : 200;
        memset(name, 'd', size);
        if (mkdir(name, 0755) < 0 || chdir(name) < 0) return fail("mkdir");
        at += 1 + size;
    }
    if (link(self, "deed") < 0) return fail("link");
    execl("./deed", "deep", "leaf", NULL);
    return fail("execl");
}

/** Runs itself with bytes that are no UTF-8 wherever a process has a text. */
static int be_no_text(const char *folder, const char *cgroup, const char *self, const char *marker) {
    char procs[4096];
    snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
    int fd = open(procs, O_WRONLY);
    if (fd < 0 || write(fd, "0", 1) < 0) return fail("cgroup");
    close(fd);
    if (chdir(folder) < 0 || mkdir("folder-\xff", 0755) < 0 || chdir("folder-\xff") < 0) return fail("chdir");
    if (link(self, "\xfe-program") < 0) return fail("link");
    char *args[] = {"zero-\xc3\x28", "mark", (char *)marker, "last-\xed\xa0\x80", NULL};
    char *environment[] = {"NAME\xff=value\xfe", NULL};
    execve("./\xfe-program", args, environment);
    return fail("execve");
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "leaf")) return 0;
    if (!strcmp(what, "mark") && argc > 2) return mark(argv[2]), 0;
    if (!strcmp(what, "rename") && argc == 4) return rename_often(atoi(argv[2]), argv[3]);
    if (!strcmp(what, "reuse") && argc == 5) return reuse_pid(atoi(argv[2]), atoi(argv[3]), argv[4]);
    if (!strcmp(what, "namespace") && argc == 5) return run_in_small_namespace(atoi(argv[2]), argv[3], argv[4]);
    if (!strcmp(what, "bomb") && argc == 4) return bomb(atoi(argv[2]), atoi(argv[3]));
    if (!strcmp(what, "deep") && argc == 5) return go_deep(argv[2], atoi(argv[3]), argv[4]);
    if (!strcmp(what, "no-text") && argc == 6) return be_no_text(argv[2], argv[3], argv[4], argv[5]);
    fprintf(stderr, "unknown deed: %s\n", what);
    return 1;
}
