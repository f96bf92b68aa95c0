// The maps of a set of loaded kernel programs: what is read from them and written to them, whoever loaded the set.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "encoder.h"
#include "filters.h"

namespace nightjar {

// The kernel or libbpf refused; `error` is an errno, `cause` the last lines libbpf logged.
class LoadError : public std::runtime_error {
  public:
    LoadError(const std::string &what, int error_number, std::string cause_text)
        : std::runtime_error(what), error(error_number), cause(std::move(cause_text)) {}
    int error;
    std::string cause;
};

[[noreturn]] void refuse(int error);

// Maps by name, each an open descriptor.
using MapDescriptors = std::map<std::string, int>;

// Whose layout the maps have: that of this addon, or, in a set that another version loaded, one of which only the ring
// and the ledger are known.
enum class MapsOf : uint8_t { ThisVersion, AnotherVersion };

// Where a ledger's counters lie, in words. What another version lacks has no place.
struct LedgerShape {
    size_t seen, filtered, submitted;
    std::optional<size_t> folded, governed;
    // One a reason, to the end.
    size_t dropped;
};

class Maps {
  public:
    // Takes the descriptors over. Throws LoadError where a map is missing.
    explicit Maps(MapDescriptors descriptors, MapsOf version = MapsOf::ThisVersion);
    Maps(const Maps &) = delete;
    Maps &operator=(const Maps &) = delete;
    ~Maps();

    int fd(const char *name) const;
    int ring_fd() const { return fd("ring"); }
    // The ring's size in bytes.
    size_t ring_bytes() const;
    // Sums over the CPUs, of every event type there is.
    std::vector<LedgerRow> ledger() const;
    // Of a set that another version loaded.
    void set_ledger_shape(const LedgerShape &shape) { ledger_shape_ = shape; }

    // Types that are not wanted are not even counted where a system call makes them.
    void set_wanted(const std::vector<uint32_t> &types);
    // Returns 0 or an errno; then the filters before stay in force.
    int set_filters(const FilterTables &tables);
    // Whether exec events carry the environment.
    void set_environment_wanted(bool wanted);
    void set_message_interest(uint32_t interest, uint32_t data_bytes);
    void set_fold_window(uint32_t seconds);
    // enum governed, by event type; what is not there is not governed.
    void set_governed(const std::vector<uint8_t> &governed);
    void set_dns_ports(const std::vector<uint16_t> &ports);
    // Whether the next record must wake the reader.
    void set_reader_sleeps(bool sleeps);
    // From here on the programs record, or not any more.
    void set_active(bool active);
    // Tells the programs that the reader lives; they stop recording when they were told nothing for so long.
    void beat();
    void set_reader_gone_after(std::chrono::seconds limit);
    // Both return 0 or an errno; E2BIG when there are too many.
    int add_own_process(uint32_t pid, uint64_t start_ticks);
    int remove_own_process(uint32_t pid);
    std::vector<std::pair<uint32_t, uint64_t>> own_processes() const;

  private:
    void map_settings();
    void close_all();

    MapDescriptors descriptors_;
    LedgerShape ledger_shape_;
    // Null where another version's settings lie.
    settings *settings_ = nullptr;
    // By system call number, of both ABIs.
    std::vector<syscall_entry> syscalls_;
};

} // namespace nightjar
