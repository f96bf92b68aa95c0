// Makes the call that the first argument names with the numbers that follow; further lists behind "then".
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    long number;
} calls[] = {
    {"setuid", SYS_setuid},     {"setgid", SYS_setgid},       {"setreuid", SYS_setreuid},
    {"setregid", SYS_setregid}, {"setresuid", SYS_setresuid}, {"setresgid", SYS_setresgid},
    {"setfsuid", SYS_setfsuid}, {"setfsgid", SYS_setfsgid},   {"setgroups", SYS_setgroups},
};

enum { ARGUMENTS_MAX = 3 };

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        long values[ARGUMENTS_MAX] = {0}, number = -1;
        gid_t groups[] = {1, 2};
        if (!strcmp(arguments[i], "fork")) {
            pid_t child = fork();
            if (child > 0) return waitpid(child, NULL, 0) < 0;
            continue;
        }
        for (size_t j = 0; j < sizeof(calls) / sizeof(calls[0]); j++)
            if (!strcmp(arguments[i], calls[j].name)) number = calls[j].number;
        for (int j = 0; j < ARGUMENTS_MAX && i + 1 < count && strcmp(arguments[i + 1], "then"); j++)
            values[j] = strtol(arguments[++i], NULL, 10);
        if (number == SYS_setgroups) values[1] = (long)groups;
        syscall(number, values[0], values[1], values[2]);
        i++;
    }
    return 0;
}
