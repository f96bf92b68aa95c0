// Makes a map and a program, and hands them around as eBPF's tools do; prints descriptors, numbers and results.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof(*attributes));
    return result < 0 ? -errno : result;
}

static long load_program(void) {
    // r0 = 0; exit
    static const struct bpf_insn instructions[] = {{.code = 0xb7}, {.code = 0x95}};
    union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .prog_name = "deed_program"};
    attributes.insns = (unsigned long)instructions;
    attributes.license = (unsigned long)"GPL";
    return bpf(BPF_PROG_LOAD, &attributes);
}

static long make_map(void) {
    union bpf_attr attributes = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1, .map_name = "deed_map"};
    return bpf(BPF_MAP_CREATE, &attributes);
}

static unsigned id_of_map(int fd) {
    struct bpf_map_info info = {};
    union bpf_attr attributes = {};
    attributes.info.bpf_fd = fd;
    attributes.info.info_len = sizeof(info);
    attributes.info.info = (unsigned long)&info;
    return bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) ? 0 : info.id;
}

static long update(int fd) {
    unsigned key = 0;
    unsigned long value = 42;
    union bpf_attr attributes = {.map_fd = fd};
    attributes.key = (unsigned long)&key;
    attributes.value = (unsigned long)&value;
    return bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

// where to pin the map, which fails outside of a bpffs
int main(int count, char **arguments) {
    if (count < 2) return 2;
    long map = make_map(), program = load_program();
    unsigned id = id_of_map(map);
    union bpf_attr by_id = {.map_id = id}, pin = {}, attach = {}, tracepoint = {};
    long updated = update(map), again = bpf(BPF_MAP_GET_FD_BY_ID, &by_id);
    pin.pathname = (unsigned long)arguments[1];
    pin.bpf_fd = map;
    long pinned = bpf(BPF_OBJ_PIN, &pin);
    attach.target_fd = 999;
    attach.attach_bpf_fd = program;
    attach.attach_type = BPF_CGROUP_INET_INGRESS;
    long attached = bpf(BPF_PROG_ATTACH, &attach);
    tracepoint.raw_tracepoint.name = (unsigned long)"sys_enter";
    tracepoint.raw_tracepoint.prog_fd = program;
    long opened = bpf(BPF_RAW_TRACEPOINT_OPEN, &tracepoint);
    printf("%ld %ld %u %ld %ld %ld %ld %ld", map, program, id, updated, again, pinned, attached, opened);
    return 0;
}
