// Changes its working directory in the way the first argument names.
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count < 3) return 2;
    if (!strcmp(arguments[1], "chdir")) return chdir(arguments[2]) && 0;
    int folder = open(arguments[2], O_PATH | O_DIRECTORY);
    dup2(folder, 9);
    return fchdir(9);
}
