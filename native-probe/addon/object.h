// The loaded kernel programs: opening, loading, attaching, and their maps.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "encoder.h"

struct bpf_object;
struct bpf_link;

namespace nightjar {

// The kernel or libbpf refused; `error` is an errno, `cause` the last lines libbpf logged.
class LoadError : public std::runtime_error {
  public:
    LoadError(const std::string &what, int error_number, std::string cause_text)
        : std::runtime_error(what), error(error_number), cause(std::move(cause_text)) {}
    int error;
    std::string cause;
};

struct Attachment {
    std::string program;
    // The section that says where, e.g. "tp_btf/sys_exit".
    std::string point;
    // 0, or the errno of the refusal.
    int error;
};

class Object {
  public:
    // Opens, reads the layouts, loads, and fills the maps. Throws LoadError and LayoutError.
    Object(const std::string &path, uint32_t ring_bytes);
    Object(const Object &) = delete;
    Object &operator=(const Object &) = delete;
    ~Object();

    // Attaches every program that has a place of its own; a refusal is in the answer, not thrown.
    std::vector<Attachment> attach();
    // From here on nothing new is recorded; what is being recorded still ends.
    void detach();

    const Layouts &layouts() const { return layouts_; }
    int ring_fd() const { return map_fd("ring"); }
    // Sums over the CPUs, of every event type there is.
    std::vector<LedgerRow> ledger() const;

    // Types that are not wanted are not even counted where a system call makes them.
    void set_wanted(const std::vector<uint32_t> &types);
    void set_open_interest(uint32_t interest);
    // Whether the next record must wake the reader.
    void set_reader_sleeps(bool sleeps);
    // Both return 0 or an errno; E2BIG when there are too many.
    int add_own_process(uint32_t pid, uint64_t start_ticks);
    int remove_own_process(uint32_t pid);

  private:
    void open(const std::string &path, uint32_t ring_bytes);
    void fill_syscalls();
    void map_settings();
    int map_fd(const char *name) const;
    void update(const char *map, const void *key, const void *value) const;

    bpf_object *object_ = nullptr;
    std::vector<bpf_link *> links_;
    Layouts layouts_;
    settings *settings_ = nullptr;
    // By system call number, of both ABIs.
    syscall_entry syscalls_[SYSCALLS_MAX] = {};
};

} // namespace nightjar
