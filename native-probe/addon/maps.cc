// Reads and writes the maps of the kernel programs.
#include "maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bitset>
#include <cerrno>
#include <iterator>

#include "libbpf_log.h"

namespace nightjar {

void refuse(int error) {
    throw LoadError("failed loading ebpf skeleton", error < 0 ? -error : error, libbpf_log());
}

Maps::Maps(MapDescriptors descriptors) : descriptors_(std::move(descriptors)), syscalls_(SYSCALLS_MAX) {
    try {
        void *mapped = mmap(nullptr, sizeof(settings), PROT_READ | PROT_WRITE, MAP_SHARED, fd("settings"), 0);
        if (mapped == MAP_FAILED) refuse(errno);
        settings_ = static_cast<settings *>(mapped);
        for (uint32_t number = 0; number < SYSCALLS_MAX; number++)
            if (bpf_map_lookup_elem(fd("syscalls"), &number, &syscalls_[number])) refuse(errno);
    } catch (...) {
        close_all();
        throw;
    }
}

Maps::~Maps() {
    close_all();
}

void Maps::close_all() {
    if (settings_) munmap(settings_, sizeof(settings));
    for (const auto &[name, descriptor] : descriptors_) close(descriptor);
}

int Maps::fd(const char *name) const {
    const auto found = descriptors_.find(name);
    if (found == descriptors_.end()) refuse(ENOENT);
    return found->second;
}

size_t Maps::ring_bytes() const {
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(ring_fd(), &info, &size)) refuse(errno);
    return info.max_entries;
}

std::vector<LedgerRow> Maps::ledger() const {
    std::vector<ledger_counts> of_cpus(static_cast<size_t>(libbpf_num_possible_cpus()));
    std::vector<LedgerRow> rows;
    for (const TypeSpec &type : types()) {
        LedgerRow row{type.id, {}};
        if (bpf_map_lookup_elem(fd("ledger"), &type.id, of_cpus.data()) == 0) {
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

void Maps::set_wanted(const std::vector<uint32_t> &wanted) {
    std::bitset<EVENT_TYPE_IDS_MAX> is_wanted;
    for (const uint32_t type : wanted) is_wanted.set(type);
    __u64 types[EVENT_TYPE_IDS_MAX / 64] = {};
    __u64 numbers[SYSCALLS_MAX / 64] = {};
    for (size_t type = 0; type < EVENT_TYPE_IDS_MAX; type++)
        if (is_wanted[type]) types[type / 64] |= 1ULL << (type % 64);
    for (size_t number = 0; number < SYSCALLS_MAX; number++) {
        bool is_handled = false;
        for (const __u16 type : syscalls_[number].types) is_handled |= type && is_wanted[type];
        for (const __u16 type : syscalls_[number].foreign_types) is_handled |= type && is_wanted[type];
        if (is_handled) numbers[number / 64] |= 1ULL << (number % 64);
    }
    for (size_t i = 0; i < std::size(types); i++)
        __atomic_store_n(&settings_->wanted_types[i], types[i], __ATOMIC_RELAXED);
    for (size_t i = 0; i < std::size(numbers); i++)
        __atomic_store_n(&settings_->syscalls[i], numbers[i], __ATOMIC_RELAXED);
}

void Maps::set_open_interest(uint32_t interest) {
    __atomic_store_n(&settings_->open_interest, interest, __ATOMIC_RELAXED);
}

void Maps::set_reader_sleeps(bool sleeps) {
    __atomic_store_n(&settings_->reader_sleeps, sleeps ? 1 : 0, __ATOMIC_SEQ_CST);
}

int Maps::add_own_process(uint32_t pid, uint64_t start_ticks) {
    return bpf_map_update_elem(fd("own_processes"), &pid, &start_ticks, BPF_ANY) ? errno : 0;
}

int Maps::remove_own_process(uint32_t pid) {
    const int failed = bpf_map_delete_elem(fd("own_processes"), &pid);
    return failed && errno != ENOENT ? errno : 0;
}

} // namespace nightjar
