// Starts many processes that end at once, some at a time, each with a number of its own, and says what became of them.
//
//   deed burst COUNT WIDTH   starts COUNT, WIDTH of them side by side; prints "NUMBER PID STATUS" for each
//   deed leaf NUMBER         ends with a status that NUMBER gives
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// Statuses repeat after so many numbers, a prime.
#define STATUSES 251
#define WIDTH_MAX 1000

extern char **environ;

static pid_t start(const char *program, long number) {
    char text[24];
    char *arguments[] = {(char *)program, "leaf", text, NULL};
    snprintf(text, sizeof(text), "%ld", number);
    pid_t child = vfork();
    if (child == 0) {
        execve("/proc/self/exe", arguments, environ);
        _exit(255);
    }
    return child;
}

static int burst(const char *program, long first, long count) {
    pid_t children[WIDTH_MAX];
    for (long i = 0; i < count; i++) {
        children[i] = start(program, first + i);
        if (children[i] < 0) return 1;
    }
    for (long i = 0; i < count; i++) {
        int status;
        if (waitpid(children[i], &status, 0) != children[i] || !WIFEXITED(status)) return 1;
        printf("%ld %d %d\n", first + i, children[i], WEXITSTATUS(status));
    }
    return 0;
}

int main(int count, char **arguments) {
    if (count == 3 && !strcmp(arguments[1], "leaf")) return (int)(atol(arguments[2]) % STATUSES);
    if (count != 4 || strcmp(arguments[1], "burst")) return 2;
    long all = atol(arguments[2]), width = atol(arguments[3]);
    if (width < 1 || width > WIDTH_MAX) return 2;
    for (long first = 0; first < all; first += width) {
        long here = all - first < width ? all - first : width;
        if (burst(arguments[0], first, here)) {
            perror("burst");
            return 1;
        }
    }
    return 0;
}
