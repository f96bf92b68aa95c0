// Changes itself with prctl in the way the first argument names.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static void *name_itself(void *argument) {
    prctl(PR_SET_NAME, "thread-name");
    return argument;
}

int main(int count, char **arguments) {
    char name[16];
    pthread_t thread;
    if (count < 2) return 2;
    if (!strcmp(arguments[1], "name")) return prctl(PR_SET_NAME, "first") || prctl(PR_SET_NAME, "second-of-16-bytes");
    if (!strcmp(arguments[1], "ask")) return prctl(PR_GET_NAME, name);
    if (!strcmp(arguments[1], "thread"))
        return pthread_create(&thread, NULL, name_itself, NULL) || pthread_join(thread, NULL);
    prctl(atoi(arguments[1]), atol(arguments[2]), 0, 0, 0);
    return 0;
}
