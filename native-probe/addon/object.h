// The kernel programs: opening, loading, attaching.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "maps.h"

struct bpf_object;
struct bpf_link;

namespace nightjar {

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
    Maps &maps() { return *maps_; }

  private:
    void open(const std::string &path, uint32_t ring_bytes);
    void fill_syscalls();
    MapDescriptors map_descriptors() const;
    void update(const char *map, const void *key, const void *value) const;

    bpf_object *object_ = nullptr;
    std::vector<bpf_link *> links_;
    Layouts layouts_;
    std::unique_ptr<Maps> maps_;
};

} // namespace nightjar
