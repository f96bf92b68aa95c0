// Sets an option of a socket, and prints what the call returned and the descriptor.
#include "../support/address.h"
#include <linux/filter.h>
#include <linux/if_ether.h>

// A filter that takes every packet, on a packet socket: what a sniffer does first.
static int attach_filter(int fd) {
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
    struct sock_fprog program = {.len = 1, .filter = &all};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

// level, option, a number as the value, its size; "filter" for the option SO_ATTACH_FILTER
int main(int count, char **arguments) {
    if (count < 5) return 2;
    int value[32] = {atoi(arguments[3])};
    int is_filter = strcmp(arguments[2], "filter") == 0;
    int fd = is_filter ? socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) : socket(AF_INET, SOCK_STREAM, 0);
    int returned = is_filter ? attach_filter(fd)
                             : setsockopt(fd, atoi(arguments[1]), atoi(arguments[2]), value, atoi(arguments[4]));
    printf("%d %d", result_of(returned), fd);
    return 0;
}
