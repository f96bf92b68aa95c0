// Sets of programs and maps that are pinned in a BPF file system, found again by whoever comes next.
//
// A set is a folder with `maps/`, `programs/` and `links/`, in which each has its name in the object; a dot, which the
// file system keeps for itself, is an underscore.
#pragma once

#include <memory>
#include <string>

#include "layout.h"
#include "maps.h"

struct btf;

namespace nightjar {

std::string pin_path(const std::string &folder, const char *kind, const char *name);

// Descriptors of all maps of the set. Throws LoadError.
MapDescriptors open_pinned_maps(const std::string &folder);
bool is_link_pinned(const std::string &folder, const char *program);

// What another version loaded: its maps, and its records as the kernel's BTF describes them.
class OtherVersion {
  public:
    // Opens what is pinned in the folder. Throws LoadError where the kernel does not tell what it is.
    explicit OtherVersion(const std::string &folder);
    OtherVersion(const OtherVersion &) = delete;
    OtherVersion &operator=(const OtherVersion &) = delete;
    ~OtherVersion();

    // From here on its programs record nothing. False where they cannot be told and have to be detached.
    bool switch_off();
    Maps &maps() { return maps_; }
    const Layouts &layouts() const { return layouts_; }

  private:
    void find_active(const btf *types, uint32_t settings_id);
    void find_counters(const btf *types, uint32_t ledger_id);

    Maps maps_;
    Layouts layouts_;
    // Its settings, mapped, and `active` among them; null where it knows no such thing.
    void *settings_ = nullptr;
    size_t settings_size_ = 0;
    uint32_t *active_ = nullptr;
};

} // namespace nightjar
