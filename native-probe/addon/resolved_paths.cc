// Which programs note paths, and whether the kernel lets them.
#include "resolved_paths.h"

#include <bpf/btf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "offers.h"

namespace nightjar {
namespace {

constexpr char kPrefix[] = "resolved_";
constexpr char kBeforeFunction[] = "__";
// Of 5.15; before, nothing tells in the middle of a call which it is.
constexpr char kHelper[] = "BPF_FUNC_task_pt_regs";

bool has_helper(const btf *kernel) {
    const int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
    if (id < 0) return false;
    const btf_type *helpers = btf__type_by_id(kernel, static_cast<__u32>(id));
    const struct btf_enum *values = btf_enum(helpers);
    return std::any_of(values, values + btf_vlen(helpers), [&](const struct btf_enum &one) {
        return std::strcmp(btf__name_by_offset(kernel, one.name_off), kHelper) == 0;
    });
}

} // namespace

bool notes_paths(const char *program) {
    return std::strncmp(program, kPrefix, std::strlen(kPrefix)) == 0;
}

const TypeSpec *type_noted_for(const char *program) {
    const std::string name = program + std::strlen(kPrefix);
    const std::string type = name.substr(0, name.find(kBeforeFunction));
    for (const TypeSpec &one : types())
        if (type == one.name) return &one;
    return nullptr;
}

bool can_note_paths(const btf *kernel, const char *function) {
    // Trying takes some milliseconds, and the answer does not change.
    static const bool is_offered = offers_fentry();
    return kernel && is_offered && btf__find_by_name_kind(kernel, function, BTF_KIND_FUNC) > 0 && has_helper(kernel);
}

Attachment paths_noted_at(size_t functions) {
    if (functions == 0) return {"resolved", "fentry/security_path_*", ENOENT};
    return {"resolved", "fentry of " + std::to_string(functions) + " functions that are given resolved paths", 0};
}

} // namespace nightjar
