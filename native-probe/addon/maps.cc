// Reads and writes the maps of the kernel programs.
#include "maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bitset>
#include <cerrno>
#include <cstddef>
#include <iterator>

#include "libbpf_log.h"

namespace nightjar {
namespace {

// The event types whose programs keep what bpf/known_thread.h tells: all must run, or it may be out of date.
constexpr uint32_t kThreadTypes[] = {
    EVENT_EXEC, EVENT_FORK, EVENT_SET_ID, EVENT_CAPSET, EVENT_PRCTL, EVENT_SET_NAMESPACE,
};
constexpr uint64_t kNsPerS = 1000000000;

uint64_t boot_time_ns() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * kNsPerS + static_cast<uint64_t>(now.tv_nsec);
}

constexpr size_t word_of(size_t offset) {
    return offset / sizeof(uint64_t);
}

constexpr LedgerShape kLedgerShape = {
    word_of(offsetof(ledger_counts, seen)),      word_of(offsetof(ledger_counts, filtered)),
    word_of(offsetof(ledger_counts, submitted)), word_of(offsetof(ledger_counts, folded)),
    word_of(offsetof(ledger_counts, governed)),  word_of(offsetof(ledger_counts, dropped)),
};

} // namespace

void refuse(int error) {
    throw LoadError("failed loading ebpf skeleton", error < 0 ? -error : error, libbpf_log());
}

Maps::Maps(MapDescriptors descriptors, MapsOf version)
    : descriptors_(std::move(descriptors)), ledger_shape_(kLedgerShape), syscalls_(CALL_ENTRIES_MAX) {
    if (version == MapsOf::AnotherVersion) return;
    try {
        map_settings();
    } catch (...) {
        close_all();
        throw;
    }
}

void Maps::map_settings() {
    void *mapped = mmap(nullptr, sizeof(settings), PROT_READ | PROT_WRITE, MAP_SHARED, fd("settings"), 0);
    if (mapped == MAP_FAILED) refuse(errno);
    settings_ = static_cast<settings *>(mapped);
    for (uint32_t number = 0; number < CALL_ENTRIES_MAX; number++)
        if (bpf_map_lookup_elem(fd("syscalls"), &number, &syscalls_[number])) refuse(errno);
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

namespace {

bpf_map_info info_of(int map_fd) {
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(map_fd, &info, &size)) refuse(errno);
    return info;
}

// Another version may know fewer reasons, or more.
void add_counts(ledger_counts &sum, const uint64_t *of_cpu, size_t words, const LedgerShape &shape) {
    sum.seen += of_cpu[shape.seen];
    sum.filtered += of_cpu[shape.filtered];
    sum.submitted += of_cpu[shape.submitted];
    if (shape.governed) sum.governed += of_cpu[*shape.governed];
    if (shape.folded) sum.folded += of_cpu[*shape.folded];
    for (size_t word = shape.dropped; word < words; word++) {
        const size_t reason = word - shape.dropped;
        const size_t known = reason < DROP_REASONS ? reason : static_cast<size_t>(DROP_REASON_UNSPECIFIED);
        sum.dropped[known] += of_cpu[word];
    }
}

} // namespace

size_t Maps::ring_bytes() const {
    return info_of(ring_fd()).max_entries;
}

std::vector<LedgerRow> Maps::ledger() const {
    const int ledger_fd = fd("ledger");
    const size_t words = info_of(ledger_fd).value_size / sizeof(uint64_t);
    const auto cpus = static_cast<size_t>(libbpf_num_possible_cpus());
    std::vector<uint64_t> of_cpus(cpus * words);
    std::vector<LedgerRow> rows;
    for (const TypeSpec &type : types()) {
        LedgerRow row{type.id, {}};
        if (bpf_map_lookup_elem(ledger_fd, &type.id, of_cpus.data()) == 0)
            for (size_t cpu = 0; cpu < cpus; cpu++) add_counts(row.counts, &of_cpus[cpu * words], words, ledger_shape_);
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
    for (size_t entry = 0; entry < CALL_ENTRIES_MAX; entry++) {
        bool is_handled = false;
        for (const __u16 type : syscalls_[entry].native.types) is_handled |= type && is_wanted[type];
        for (const __u16 type : syscalls_[entry].narrow.types) is_handled |= type && is_wanted[type];
        // All that i386's socketcall can do has one number.
        const size_t number = entry < SYSCALLS_MAX ? entry : static_cast<size_t>(I386_SOCKETCALL);
        if (is_handled) numbers[number / 64] |= 1ULL << (number % 64);
    }
    const __u64 watched_since_ns = settings_->openings_watched_since_ns;
    const __u64 watches_ns = watched_since_ns ? watched_since_ns : boot_time_ns();
    __atomic_store_n(&settings_->openings_watched_since_ns, is_wanted[EVENT_FIRST_WRITE] ? watches_ns : 0,
                     __ATOMIC_SEQ_CST);
    // What is known of threads holds from when all calls that change it are looked at, to when one of them is not.
    bool follows_threads = true;
    for (const uint32_t type : kThreadTypes) follows_threads &= is_wanted[type];
    if (!follows_threads) __atomic_store_n(&settings_->threads_known_since_ns, 0, __ATOMIC_SEQ_CST);
    for (size_t i = 0; i < std::size(types); i++)
        __atomic_store_n(&settings_->wanted_types[i], types[i], __ATOMIC_RELAXED);
    for (size_t i = 0; i < std::size(numbers); i++)
        __atomic_store_n(&settings_->syscalls[i], numbers[i], __ATOMIC_SEQ_CST);
    if (follows_threads && settings_->threads_known_since_ns == 0)
        __atomic_store_n(&settings_->threads_known_since_ns, boot_time_ns(), __ATOMIC_SEQ_CST);
}

void Maps::set_environment_wanted(bool wanted) {
    __atomic_store_n(&settings_->environment_wanted, wanted ? 1 : 0, __ATOMIC_RELAXED);
}

int Maps::set_filters(const FilterTables &tables) {
    return replace_filters(*this, settings_, tables);
}

void Maps::set_message_interest(uint32_t interest, uint32_t data_bytes) {
    __atomic_store_n(&settings_->message_interest, interest, __ATOMIC_RELAXED);
    __atomic_store_n(&settings_->message_data_size, data_bytes, __ATOMIC_RELAXED);
}

void Maps::set_fold_window(uint32_t seconds) {
    __atomic_store_n(&settings_->fold_window_s, seconds, __ATOMIC_RELAXED);
}

void Maps::set_governed(const std::vector<uint8_t> &governed) {
    for (size_t type = 0; type < EVENT_TYPE_IDS_MAX; type++) {
        const __u8 bits = type < governed.size() ? governed[type] : 0;
        __atomic_store_n(&settings_->governed[type], bits, __ATOMIC_RELAXED);
    }
}

void Maps::set_dns_ports(const std::vector<uint16_t> &ports) {
    for (size_t i = 0; i < DNS_PORTS_MAX; i++) {
        const __u16 port = i < ports.size() ? ports[i] : 0;
        __atomic_store_n(&settings_->dns_ports[i], port, __ATOMIC_RELAXED);
    }
}

void Maps::set_reader_sleeps(bool sleeps) {
    if (!settings_) return;
    __atomic_store_n(&settings_->reader_sleeps, sleeps ? 1 : 0, __ATOMIC_SEQ_CST);
}

void Maps::set_active(bool active) {
    __atomic_store_n(&settings_->active, active ? 1 : 0, __ATOMIC_SEQ_CST);
}

void Maps::beat() {
    if (settings_) __atomic_fetch_add(&settings_->reader_beats, 1, __ATOMIC_RELAXED);
}

void Maps::set_reader_gone_after(std::chrono::seconds limit) {
    // The coarse clock moves on with each jiffy.
    timespec jiffy{};
    clock_getres(CLOCK_MONOTONIC_COARSE, &jiffy);
    const std::chrono::nanoseconds length(jiffy.tv_nsec);
    const auto jiffies = static_cast<uint32_t>(std::chrono::nanoseconds(limit) / length);
    __atomic_store_n(&settings_->reader_gone_jiffies, jiffies, __ATOMIC_RELAXED);
}

int Maps::add_own_process(uint32_t pid, uint64_t start_ticks) {
    return bpf_map_update_elem(fd("own_processes"), &pid, &start_ticks, BPF_ANY) ? errno : 0;
}

int Maps::remove_own_process(uint32_t pid) {
    const int failed = bpf_map_delete_elem(fd("own_processes"), &pid);
    return failed && errno != ENOENT ? errno : 0;
}

std::vector<std::pair<uint32_t, uint64_t>> Maps::own_processes() const {
    const int map_fd = fd("own_processes");
    std::vector<std::pair<uint32_t, uint64_t>> processes;
    uint32_t pid = 0;
    const void *previous = nullptr;
    while (processes.size() < OWN_PROCESSES_MAX && bpf_map_get_next_key(map_fd, previous, &pid) == 0) {
        uint64_t start_ticks = 0;
        if (bpf_map_lookup_elem(map_fd, &pid, &start_ticks) == 0) processes.emplace_back(pid, start_ticks);
        previous = &pid;
    }
    return processes;
}

} // namespace nightjar
