// Loads and attaches the kernel programs with libbpf, and reads and writes their maps.
#include "object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bitset>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "libbpf_log.h"

namespace nightjar {
namespace {

// Programs of this name are not attached: sys_exit calls the one of the event type.
constexpr char kSyscallPrefix[] = "syscall_";

[[noreturn]] void refuse(int error) {
    throw LoadError("failed loading ebpf skeleton", error < 0 ? -error : error, libbpf_log());
}

const TypeSpec *syscall_type(const char *program) {
    const size_t prefix = sizeof(kSyscallPrefix) - 1;
    if (std::strncmp(program, kSyscallPrefix, prefix) != 0) return nullptr;
    for (const TypeSpec &type : types())
        if (std::strcmp(program + prefix, type.name) == 0) return &type;
    return nullptr;
}

// Kernels before 5.11 charge maps to this limit. Where it may not be raised the kernel may need no raising.
void raise_locked_memory_limit() {
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

} // namespace

Object::Object(const std::string &path, uint32_t ring_bytes) {
    capture_libbpf_log();
    clear_libbpf_log();
    raise_locked_memory_limit();
    try {
        open(path, ring_bytes);
        layouts_ = read_layouts(bpf_object__btf(object_));
        const int error = bpf_object__load(object_);
        if (error) refuse(error);
        map_settings();
        fill_syscalls();
    } catch (...) {
        if (object_) bpf_object__close(object_);
        throw;
    }
}

Object::~Object() {
    detach();
    if (settings_) munmap(settings_, sizeof(settings));
    bpf_object__close(object_);
}

void Object::open(const std::string &path, uint32_t ring_bytes) {
    bpf_object *opened = bpf_object__open_file(path.c_str(), nullptr);
    // Before 1.0 libbpf returns the error as a pointer, later in errno; this asks for either.
    const long error = libbpf_get_error(opened);
    if (error) refuse(static_cast<int>(error));
    object_ = opened;
    bpf_map *ring = bpf_object__find_map_by_name(object_, "ring");
    const int resized = ring ? bpf_map__set_max_entries(ring, ring_bytes) : -ENOENT;
    if (resized) refuse(resized);
}

void Object::map_settings() {
    void *mapped = mmap(nullptr, sizeof(settings), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd("settings"), 0);
    if (mapped == MAP_FAILED) refuse(errno);
    settings_ = static_cast<settings *>(mapped);
}

// Which calls concern the programs, by number; and the programs that sys_exit goes on to.
void Object::fill_syscalls() {
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const TypeSpec *type = syscall_type(bpf_program__name(program));
        if (!type) continue;
        const int fd = bpf_program__fd(program);
        update("syscall_programs", &type->id, &fd);
        for (size_t i = 0; i < calls().size; i++) {
            const CallSpec &call = calls()[i];
            const int native = native_numbers()[i];
            const int foreign = foreign_numbers()[i];
            if (call.type != type->id) continue;
            if (native >= 0) syscalls_[native].type = static_cast<uint16_t>(call.type);
            if (foreign >= 0) syscalls_[foreign].foreign_type = static_cast<uint16_t>(call.type);
        }
    }
#if defined(__x86_64__)
    syscalls_[I386_SOCKETCALL].foreign_type = EVENT_CONNECT;
#endif
    // Calls without a program have an entry too: exec and fork ask which call a task is in.
    for (size_t i = 0; i < calls().size; i++) {
        const int native = native_numbers()[i];
        if (native >= 0) syscalls_[native].call = static_cast<uint16_t>(calls()[i].call);
    }
    for (uint32_t number = 0; number < SYSCALLS_MAX; number++) update("syscalls", &number, &syscalls_[number]);
}

int Object::map_fd(const char *name) const {
    const int fd = bpf_object__find_map_fd_by_name(object_, name);
    if (fd < 0) refuse(fd);
    return fd;
}

void Object::update(const char *map, const void *key, const void *value) const {
    if (bpf_map_update_elem(map_fd(map), key, value, BPF_ANY)) refuse(errno);
}

std::vector<Attachment> Object::attach() {
    std::vector<Attachment> attachments;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        if (syscall_type(bpf_program__name(program))) continue;
        bpf_link *link = bpf_program__attach(program);
        const long error = libbpf_get_error(link);
        if (!error) links_.push_back(link);
        attachments.push_back(
            {bpf_program__name(program), bpf_program__section_name(program), static_cast<int>(-error)});
    }
    return attachments;
}

void Object::detach() {
    for (bpf_link *link : links_) bpf_link__destroy(link);
    links_.clear();
}

std::vector<LedgerRow> Object::ledger() const {
    const int fd = map_fd("ledger");
    std::vector<ledger_counts> of_cpus(static_cast<size_t>(libbpf_num_possible_cpus()));
    std::vector<LedgerRow> rows;
    for (const TypeSpec &type : types()) {
        LedgerRow row{type.id, {}};
        if (bpf_map_lookup_elem(fd, &type.id, of_cpus.data()) == 0) {
            for (const ledger_counts &counts : of_cpus) {
                row.counts.seen += counts.seen;
                row.counts.filtered += counts.filtered;
                row.counts.submitted += counts.submitted;
                for (int reason = 0; reason < DROP_REASONS; reason++)
                    row.counts.dropped[reason] += counts.dropped[reason];
            }
        }
        rows.push_back(row);
    }
    return rows;
}

void Object::set_wanted(const std::vector<uint32_t> &wanted) {
    std::bitset<EVENT_TYPE_IDS_MAX> is_wanted;
    for (const uint32_t type : wanted) is_wanted.set(type);
    __u64 types[EVENT_TYPE_IDS_MAX / 64] = {};
    __u64 numbers[SYSCALLS_MAX / 64] = {};
    for (size_t type = 0; type < EVENT_TYPE_IDS_MAX; type++)
        if (is_wanted[type]) types[type / 64] |= 1ULL << (type % 64);
    for (size_t number = 0; number < SYSCALLS_MAX; number++) {
        const syscall_entry &entry = syscalls_[number];
        const bool is_handled =
            (entry.type && is_wanted[entry.type]) || (entry.foreign_type && is_wanted[entry.foreign_type]);
        if (is_handled) numbers[number / 64] |= 1ULL << (number % 64);
    }
    for (size_t i = 0; i < std::size(types); i++)
        __atomic_store_n(&settings_->wanted_types[i], types[i], __ATOMIC_RELAXED);
    for (size_t i = 0; i < std::size(numbers); i++)
        __atomic_store_n(&settings_->syscalls[i], numbers[i], __ATOMIC_RELAXED);
}

void Object::set_open_interest(uint32_t interest) {
    __atomic_store_n(&settings_->open_interest, interest, __ATOMIC_RELAXED);
}

void Object::set_reader_sleeps(bool sleeps) {
    __atomic_store_n(&settings_->reader_sleeps, sleeps ? 1 : 0, __ATOMIC_SEQ_CST);
}

int Object::add_own_process(uint32_t pid, uint64_t start_ticks) {
    return bpf_map_update_elem(map_fd("own_processes"), &pid, &start_ticks, BPF_ANY) ? errno : 0;
}

int Object::remove_own_process(uint32_t pid) {
    const int failed = bpf_map_delete_elem(map_fd("own_processes"), &pid);
    return failed && errno != ENOENT ? errno : 0;
}

} // namespace nightjar
