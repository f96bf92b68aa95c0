// Opens what is pinned; reads from the kernel's BTF what another version of the programs left there.
#include "pins.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

namespace nightjar {
namespace {

using Btf = std::unique_ptr<btf, decltype(&btf__free)>;

// Where a struct's member lies, in bytes, that consists of elements of this size.
std::optional<size_t> member_offset(const btf *types, uint32_t struct_id, const char *name, size_t element_bytes) {
    const btf_type *type = btf__type_by_id(types, struct_id);
    if (!type || !btf_is_struct(type)) return std::nullopt;
    for (uint32_t i = 0; i < btf_vlen(type); i++) {
        const btf_member *member = btf_members(type) + i;
        if (std::strcmp(btf__name_by_offset(types, member->name_off), name) != 0) continue;
        const btf_type *of = btf__type_by_id(types, member->type);
        const uint32_t element = of && btf_is_array(of) ? btf_array(of)->type : member->type;
        if (btf__resolve_size(types, element) != static_cast<__s64>(element_bytes)) return std::nullopt;
        return btf_member_bit_offset(type, i) / 8;
    }
    return std::nullopt;
}

bpf_map_info info_of(int map_fd) {
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(map_fd, &info, &size)) refuse(errno);
    return info;
}

} // namespace

std::string pin_path(const std::string &folder, const char *kind, const char *name) {
    std::string file = name;
    std::replace(file.begin(), file.end(), '.', '_');
    return folder + "/" + kind + "/" + file;
}

MapDescriptors open_pinned_maps(const std::string &folder) {
    MapDescriptors descriptors;
    std::error_code failed;
    for (const auto &entry : std::filesystem::directory_iterator(folder + "/maps", failed)) {
        const int descriptor = bpf_obj_get(entry.path().c_str());
        if (descriptor >= 0) {
            descriptors[entry.path().filename()] = descriptor;
            continue;
        }
        const int error = errno;
        for (const auto &[name, opened] : descriptors) close(opened);
        refuse(error);
    }
    if (failed) refuse(failed.value());
    return descriptors;
}

bool is_link_pinned(const std::string &folder, const char *program) {
    return access(pin_path(folder, "links", program).c_str(), F_OK) == 0;
}

// Any map tells the types of the whole object, and which of them its value is.
OtherVersion::OtherVersion(const std::string &folder) : maps_(open_pinned_maps(folder), MapsOf::AnotherVersion) {
    const bpf_map_info info = info_of(maps_.fd("settings"));
    btf *loaded = info.btf_id ? btf__load_from_kernel_by_id(info.btf_id) : nullptr;
    if (!loaded || libbpf_get_error(loaded)) refuse(ENODATA);
    const std::unique_ptr<btf, decltype(&btf__free)> types(loaded, btf__free);
    layouts_ = read_layouts(types.get(), Strictness::PassOverUnknown);
    settings_size_ = info.value_size;
    find_active(types.get(), info.btf_value_type_id);
    find_counters(types.get(), info_of(maps_.fd("ledger")).btf_value_type_id);
}

OtherVersion::~OtherVersion() {
    if (settings_) munmap(settings_, settings_size_);
}

void OtherVersion::find_active(const btf *types, uint32_t settings_id) {
    const auto at = member_offset(types, settings_id, "active", sizeof(*active_));
    if (!at) return;
    void *mapped = mmap(nullptr, settings_size_, PROT_READ | PROT_WRITE, MAP_SHARED, maps_.fd("settings"), 0);
    if (mapped == MAP_FAILED) return;
    settings_ = mapped;
    active_ = reinterpret_cast<uint32_t *>(static_cast<uint8_t *>(mapped) + *at);
}

void OtherVersion::find_counters(const btf *types, uint32_t ledger_id) {
    const auto word = [&](const char *name) -> std::optional<size_t> {
        const auto at = member_offset(types, ledger_id, name, sizeof(uint64_t));
        if (!at) return std::nullopt;
        return *at / sizeof(uint64_t);
    };
    const auto seen = word("seen"), filtered = word("filtered"), submitted = word("submitted");
    const auto dropped = word("dropped");
    if (!seen || !filtered || !submitted || !dropped) refuse(ENODATA);
    maps_.set_ledger_shape({*seen, *filtered, *submitted, word("folded"), word("governed"), *dropped});
}

bool OtherVersion::switch_off() {
    if (active_) __atomic_store_n(active_, 0, __ATOMIC_SEQ_CST);
    return active_ != nullptr;
}

} // namespace nightjar
