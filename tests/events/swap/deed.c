// Switches a swap area on and off that is none, and prints what the calls returned.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/swap.h>

// the path
int main(int count, char **arguments) {
    if (count < 2) return 2;
    int on = swapon(arguments[1], SWAP_FLAG_PREFER | 7) ? -errno : 0;
    int off = swapoff(arguments[1]) ? -errno : 0;
    printf("%d %d", on, off);
    return 0;
}
