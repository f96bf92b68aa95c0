// The kernel programs: opening, loading, attaching.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "call_returns.h"
#include "maps.h"

struct bpf_object;
struct bpf_link;
struct bpf_program;

namespace nightjar {

// At the tracepoint that all of them pass when they return, or at the ends of the functions of those that matter.
enum class CallsSeenAt { Tracepoint, Functions };

class Object {
  public:
    // Opens and reads the layouts. Throws LoadError and LayoutError.
    explicit Object(const std::string &path, Strictness strictness = Strictness::Strict);
    Object(const Object &) = delete;
    Object &operator=(const Object &) = delete;
    ~Object();

    // Loads the programs and fills the maps; they record once they are attached and active. Throws LoadError.
    void load(uint32_t ring_bytes, CallsSeenAt place);
    // Before loading: leaves out what reports calls of other event types than these.
    void load_only(const std::vector<uint32_t> &wanted);
    // Instead of loading: takes over what was loaded from the same object before and is pinned. Throws LoadError.
    void take_over(const std::string &folder);
    // Attaches every program that has a place of its own; a refusal is in the answer, not thrown. What is pinned is
    // attached already.
    std::vector<Attachment> attach();
    // Pins maps, programs and links, so that they outlive this process. Throws LoadError.
    void pin(const std::string &folder) const;
    // From here on nothing new is recorded; what is being recorded still ends.
    void detach();

    const Layouts &layouts() const { return layouts_; }
    Maps &maps() { return *maps_; }

  private:
    void open();
    bool load_at_functions(uint32_t ring_bytes);
    void load_programs(uint32_t ring_bytes);
    int attach_program(const bpf_program *program);
    std::vector<Attachment> pinned_attachments() const;
    void leave_out_absent();
    void leave_out_unwanted();
    void fill_syscalls();
    void claim_objects() const;
    void claim_map(int descriptor) const;
    void claim_program(int descriptor) const;
    void claim_link(int descriptor) const;
    void claim(uint32_t type, uint32_t id) const;
    MapDescriptors map_descriptors() const;
    void update(const char *map, const void *key, const void *value) const;

    std::string path_;
    // The event types whose calls are looked at; nothing for all.
    std::optional<std::vector<uint32_t>> wanted_;
    bpf_object *object_ = nullptr;
    // By program.
    std::map<std::string, bpf_link *> links_;
    // Where system calls are seen at the ends of their own functions; null where at sys_exit.
    std::unique_ptr<CallReturns> returns_;
    // Why they are not, where they were to be: ENOENT, or what the kernel said to a program.
    int functions_error_ = 0;
    // Where this set was found pinned; empty where it was loaded.
    std::string taken_from_;
    Layouts layouts_;
    std::unique_ptr<Maps> maps_;
};

} // namespace nightjar
