// Renames host and domain where only this process sees it; prints what the calls returned.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// the name
int main(int count, char **arguments) {
    if (count < 2) return 2;
    if (unshare(CLONE_NEWUTS)) return 3;
    int host = sethostname(arguments[1], strlen(arguments[1])) ? -errno : 0;
    int domain = setdomainname(arguments[1], strlen(arguments[1])) ? -errno : 0;
    printf("%d %d", host, domain);
    return 0;
}
