// Looks for a map by its name among all the kernel has, as a stranger with the rights to, and touches it.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { VALUE_SIZE_MAX = 65536 };

static long bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof(*attributes));
    return result < 0 ? -errno : result;
}

// Writes the first element again, as it is: the sensor goes on as before.
static int overwrite(int fd, const struct bpf_map_info *info) {
    static char value[VALUE_SIZE_MAX];
    unsigned key = 0;
    union bpf_attr attributes = {.map_fd = fd};
    if (info->type != BPF_MAP_TYPE_ARRAY || info->value_size > VALUE_SIZE_MAX) return 0;
    attributes.key = (unsigned long)&key;
    attributes.value = (unsigned long)value;
    return bpf(BPF_MAP_LOOKUP_ELEM, &attributes) == 0 && bpf(BPF_MAP_UPDATE_ELEM, &attributes) == 0;
}

// The map's name; the number of one to do more than get it. Prints how many there are, and the number of the last.
int main(int count, char **arguments) {
    if (count < 2) return 2;
    union bpf_attr next = {};
    unsigned found = 0, last = 0;
    while (bpf(BPF_MAP_GET_NEXT_ID, &next) == 0) {
        struct bpf_map_info info = {};
        union bpf_attr by_id = {.map_id = next.next_id}, ask = {};
        long fd = bpf(BPF_MAP_GET_FD_BY_ID, &by_id);
        next.start_id = next.next_id;
        if (fd < 0) continue;
        ask.info.bpf_fd = fd;
        ask.info.info_len = sizeof(info);
        ask.info.info = (unsigned long)&info;
        if (bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) == 0 && !strcmp(info.name, arguments[1])) {
            if (count > 2 && info.id == strtoul(arguments[2], NULL, 10) && !overwrite(fd, &info)) return 3;
            found++;
            last = info.id;
        }
        close(fd);
    }
    printf("%u %u", found, last);
    return 0;
}
