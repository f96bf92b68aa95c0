// Tries to run what cannot be run, in the way the first argument names, and goes on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MANY = 40, LONG = 1000 };

static char long_argument[LONG];
static char *many[MANY + 1];

int main(int count, char **arguments) {
    if (count < 3) return 2;
    char *path = arguments[2], *environment[] = {NULL};
    char *few[] = {"first", "", "two words", NULL};
    memset(long_argument, 'x', LONG - 1);
    for (int i = 0; i < MANY; i++) many[i] = i == 1 ? long_argument : "a";
    if (!strcmp(arguments[1], "execve")) syscall(SYS_execve, path, few, environment);
    if (!strcmp(arguments[1], "many")) syscall(SYS_execve, path, many, environment);
    if (!strcmp(arguments[1], "null")) syscall(SYS_execve, path, NULL, NULL);
    if (!strcmp(arguments[1], "execveat")) {
        int folder = open("/", O_PATH | O_DIRECTORY);
        dup2(folder, 9);
        syscall(SYS_execveat, 9, path, few, environment, AT_SYMLINK_NOFOLLOW);
    }
    return 0;
}
