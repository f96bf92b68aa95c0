// Tries each kind of place a program can have, with a program that does nothing.
#include "offers.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>

#include "libbpf_log.h"

namespace nightjar {
namespace {

// Functions and hooks that every kernel with the feature has, and that are rarely called.
constexpr char kRareFunction[] = "bpf_map_free_deferred";
constexpr char kRareHook[] = "settime";
constexpr char kRareTracepoint[] = "sched_process_exec";
constexpr char kIterator[] = "task";
constexpr size_t kRingBytesMin = 4096;
constexpr int kInvalidNumber = -1;

// A file descriptor that is closed at the end; negative where there is none.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    int fd() const { return fd_; }
    // 0, or the errno of the call that should have made it.
    int error() const { return fd_ >= 0 ? 0 : errno; }

  private:
    int fd_;
};

// Returns 0, as every kind of program may.
int load(bpf_prog_type type, bpf_prog_load_opts *options) {
    const bpf_insn instructions[] = {
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    };
    return bpf_prog_load(type, nullptr, "GPL", instructions, sizeof(instructions) / sizeof(instructions[0]), options);
}

// Programs whose place is a type of the kernel's: fentry, fexit, LSM, tp_btf, iterators.
int try_typed(bpf_prog_type type, bpf_attach_type place, const char *name, bool attaches) {
    const int id = libbpf_find_vmlinux_btf_id(name, place);
    if (id < 0) return -id;
    LIBBPF_OPTS(bpf_prog_load_opts, options);
    options.expected_attach_type = place;
    options.attach_btf_id = static_cast<__u32>(id);
    const Descriptor program(load(type, &options));
    if (program.fd() < 0 || !attaches) return program.error();
    return Descriptor(bpf_raw_tracepoint_open(nullptr, program.fd())).error();
}

int try_fentry() {
    return try_typed(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, kRareFunction, true);
}

int try_fexit() {
    return try_typed(BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, kRareFunction, true);
}

// A hook can be attached to where no module list names bpf; then nobody calls it.
int try_lsm() {
    std::ifstream file("/sys/kernel/security/lsm");
    std::string modules;
    if (file && std::getline(file, modules) && ("," + modules + ",").find(",bpf,") == std::string::npos) return ENOENT;
    return try_typed(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, kRareHook, true);
}

int try_tp_btf() {
    return try_typed(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, kRareTracepoint, true);
}

int try_iterator() {
    return try_typed(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, kIterator, false);
}

int try_raw_tracepoint() {
    const Descriptor program(load(BPF_PROG_TYPE_RAW_TRACEPOINT, nullptr));
    if (program.fd() < 0) return program.error();
    return Descriptor(bpf_raw_tracepoint_open(kRareTracepoint, program.fd())).error();
}

int read_number(const std::string &path) {
    std::ifstream file(path);
    int number = kInvalidNumber;
    file >> number;
    return file ? number : kInvalidNumber;
}

// Programs that are attached to an event of perf.
int try_perf_event(bpf_prog_type type, perf_event_attr *attributes) {
    const Descriptor program(load(type, nullptr));
    if (program.fd() < 0) return program.error();
    attributes->size = sizeof(*attributes);
    const long opened = syscall(SYS_perf_event_open, attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    const Descriptor event(static_cast<int>(opened));
    if (event.fd() < 0) return event.error();
    return ioctl(event.fd(), PERF_EVENT_IOC_SET_BPF, program.fd()) ? errno : 0;
}

int try_tracepoint() {
    for (const char *folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        const int id = read_number(std::string(folder) + "/events/sched/" + kRareTracepoint + "/id");
        if (id == kInvalidNumber) continue;
        perf_event_attr attributes = {};
        attributes.type = PERF_TYPE_TRACEPOINT;
        attributes.config = static_cast<__u64>(id);
        return try_perf_event(BPF_PROG_TYPE_TRACEPOINT, &attributes);
    }
    return ENOENT;
}

int try_kprobe() {
    const int type = read_number("/sys/bus/event_source/devices/kprobe/type");
    if (type == kInvalidNumber) return ENOENT;
    perf_event_attr attributes = {};
    attributes.type = static_cast<__u32>(type);
    attributes.config1 = reinterpret_cast<uint64_t>(kRareFunction);
    return try_perf_event(BPF_PROG_TYPE_KPROBE, &attributes);
}

int try_ring_buffer() {
    const size_t bytes = std::max<size_t>(kRingBytesMin, static_cast<size_t>(sysconf(_SC_PAGESIZE)));
    return Descriptor(bpf_map_create(BPF_MAP_TYPE_RINGBUF, nullptr, 0, 0, static_cast<__u32>(bytes), nullptr)).error();
}

int try_types() {
    btf *types = btf__load_vmlinux_btf();
    const long error = libbpf_get_error(types);
    if (error) return static_cast<int>(-error);
    btf__free(types);
    return 0;
}

} // namespace

std::vector<Offer> ask_kernel() {
    capture_libbpf_log();
    return {
        {"btf", try_types()},
        {"ring buffer", try_ring_buffer()},
        {"fentry", try_fentry()},
        {"fexit", try_fexit()},
        {"lsm", try_lsm()},
        {"tp_btf", try_tp_btf()},
        {"raw_tp", try_raw_tracepoint()},
        {"tracepoint", try_tracepoint()},
        {"kprobe", try_kprobe()},
        {"iterator", try_iterator()},
    };
}

bool offers_fentry() {
    return try_fentry() == 0;
}

bool offers_fexit() {
    return try_fexit() == 0;
}

} // namespace nightjar
