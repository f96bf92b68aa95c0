// Loads and attaches the kernel programs with libbpf.
#include "object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <bitset>
#include <cerrno>
#include <cstring>

#include "libbpf_log.h"
#include "pins.h"

namespace nightjar {
namespace {

// Programs of this name are not attached: sys_exit calls the one of the event type.
constexpr char kSyscallPrefix[] = "syscall_";

const TypeSpec *syscall_type(const char *program) {
    const size_t prefix = sizeof(kSyscallPrefix) - 1;
    if (std::strncmp(program, kSyscallPrefix, prefix) != 0) return nullptr;
    for (const TypeSpec &type : types())
        if (std::strcmp(program + prefix, type.name) == 0) return &type;
    return nullptr;
}

// Puts a type behind those that report the call already.
void add_type(__u16 (&types)[SYSCALL_TYPES_MAX], const CallSpec &call) {
    for (__u16 &type : types) {
        if (type) continue;
        type = static_cast<__u16>(call.type);
        return;
    }
    throw LayoutError(std::string("the call ") + call.name + " is reported by more event types than there is room for");
}

// Kernels before 5.11 charge maps to this limit. Where it may not be raised the kernel may need no raising.
void raise_locked_memory_limit() {
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

} // namespace

Object::Object(const std::string &path, Strictness strictness) {
    capture_libbpf_log();
    clear_libbpf_log();
    raise_locked_memory_limit();
    try {
        open(path);
        layouts_ = read_layouts(bpf_object__btf(object_), strictness);
    } catch (...) {
        if (object_) bpf_object__close(object_);
        throw;
    }
}

Object::~Object() {
    detach();
    bpf_object__close(object_);
}

void Object::open(const std::string &path) {
    bpf_object *opened = bpf_object__open_file(path.c_str(), nullptr);
    // Before 1.0 libbpf returns the error as a pointer, later in errno; this asks for either.
    const long error = libbpf_get_error(opened);
    if (error) refuse(static_cast<int>(error));
    object_ = opened;
}

void Object::load(uint32_t ring_bytes) {
    bpf_map *ring = bpf_object__find_map_by_name(object_, "ring");
    const int resized = ring ? bpf_map__set_max_entries(ring, ring_bytes) : -ENOENT;
    if (resized) refuse(resized);
    const int error = bpf_object__load(object_);
    if (error) refuse(error);
    fill_syscalls();
    maps_ = std::make_unique<Maps>(map_descriptors());
}

void Object::take_over(const std::string &folder) {
    maps_ = std::make_unique<Maps>(open_pinned_maps(folder));
    taken_from_ = folder;
}

// Which calls concern the programs, by number; and the programs that sys_exit goes on to.
void Object::fill_syscalls() {
    std::bitset<EVENT_TYPE_IDS_MAX> has_program;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const TypeSpec *type = syscall_type(bpf_program__name(program));
        if (!type) continue;
        const int fd = bpf_program__fd(program);
        update("syscall_programs", &type->id, &fd);
        has_program.set(type->id);
    }
    syscall_entry entries[SYSCALLS_MAX] = {};
    for (size_t i = 0; i < calls().size; i++) {
        const CallSpec &call = calls()[i];
        const int native = native_numbers()[i];
        const int foreign = foreign_numbers()[i];
        // Calls without a program have an entry too: exec and fork ask which call a task is in.
        if (native >= 0) entries[native].call = static_cast<uint16_t>(call.call);
        if (!has_program[call.type]) continue;
        if (native >= 0) add_type(entries[native].types, call);
        if (foreign >= 0) add_type(entries[foreign].foreign_types, call);
    }
#if defined(__x86_64__)
    entries[I386_SOCKETCALL].foreign_types[0] = EVENT_CONNECT;
#endif
    for (uint32_t number = 0; number < SYSCALLS_MAX; number++) update("syscalls", &number, &entries[number]);
}

MapDescriptors Object::map_descriptors() const {
    MapDescriptors descriptors;
    bpf_map *map;
    bpf_object__for_each_map(map, object_) {
        const int copy = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 0);
        if (copy >= 0) descriptors[bpf_map__name(map)] = copy;
    }
    return descriptors;
}

void Object::update(const char *map, const void *key, const void *value) const {
    const int fd = bpf_object__find_map_fd_by_name(object_, map);
    if (fd < 0 || bpf_map_update_elem(fd, key, value, BPF_ANY)) refuse(errno);
}

std::vector<Attachment> Object::attach() {
    if (!taken_from_.empty()) return pinned_attachments();
    std::vector<Attachment> attachments;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        if (syscall_type(bpf_program__name(program))) continue;
        bpf_link *link = bpf_program__attach(program);
        const long error = libbpf_get_error(link);
        if (!error) links_[bpf_program__name(program)] = link;
        attachments.push_back(
            {bpf_program__name(program), bpf_program__section_name(program), static_cast<int>(-error)});
    }
    return attachments;
}

// What was refused when the set was loaded has no link; why, nobody knows any more.
std::vector<Attachment> Object::pinned_attachments() const {
    std::vector<Attachment> attachments;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const char *name = bpf_program__name(program);
        if (syscall_type(name)) continue;
        const int error = is_link_pinned(taken_from_, name) ? 0 : ENOLINK;
        attachments.push_back({name, bpf_program__section_name(program), error});
    }
    return attachments;
}

void Object::pin(const std::string &folder) const {
    bpf_map *map;
    bpf_object__for_each_map(map, object_) {
        if (bpf_map__fd(map) < 0) continue;
        const int error = bpf_obj_pin(bpf_map__fd(map), pin_path(folder, "maps", bpf_map__name(map)).c_str());
        if (error) refuse(errno);
    }
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        if (bpf_program__fd(program) < 0) continue;
        const std::string path = pin_path(folder, "programs", bpf_program__name(program));
        if (bpf_obj_pin(bpf_program__fd(program), path.c_str())) refuse(errno);
    }
    for (const auto &[name, link] : links_)
        if (bpf_obj_pin(bpf_link__fd(link), pin_path(folder, "links", name.c_str()).c_str())) refuse(errno);
}

void Object::detach() {
    for (const auto &[name, link] : links_) bpf_link__destroy(link);
    links_.clear();
}

} // namespace nightjar
