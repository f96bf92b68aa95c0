// Prints which of some BPF programs, maps and links exist, asked by id.
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int command_of(const char *kind) {
    if (!strcmp(kind, "program")) return BPF_PROG_GET_FD_BY_ID;
    if (!strcmp(kind, "map")) return BPF_MAP_GET_FD_BY_ID;
    return BPF_LINK_GET_FD_BY_ID;
}

// pairs of kind and id
int main(int count, char **arguments) {
    for (int i = 1; i + 1 < count; i += 2) {
        union bpf_attr attributes;
        memset(&attributes, 0, sizeof(attributes));
        attributes.prog_id = strtoul(arguments[i + 1], NULL, 10);
        long descriptor = syscall(SYS_bpf, command_of(arguments[i]), &attributes, sizeof(attributes));
        if (descriptor < 0) continue;
        printf("%s %s\n", arguments[i], arguments[i + 1]);
        close((int)descriptor);
    }
    return 0;
}
