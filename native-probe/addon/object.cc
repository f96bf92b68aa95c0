// Loads and attaches the kernel programs with libbpf.
#include "object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "libbpf_log.h"
#include "offers.h"
#include "pins.h"
#include "resolved_paths.h"

namespace nightjar {
namespace {

// Programs that are not attached but called, by event type: their names begin with this, and stand in that map.
struct CalledPrograms {
    const char *prefix;
    const char *map;
};
constexpr char kSyscallPrograms[] = "syscall_programs";
constexpr CalledPrograms kCalledPrograms[] = {
    {"syscall_", kSyscallPrograms},
    {"ring_done_", "ring_done_programs"},
    {"ring_submitted_", "ring_submitted_programs"},
};

struct CalledProgram {
    const TypeSpec *type;
    const char *map;
};

// What calls a program, and for which type; no type where it is attached to a place of its own.
CalledProgram called_program(const char *program) {
    for (const CalledPrograms &called : kCalledPrograms) {
        const size_t prefix = std::strlen(called.prefix);
        if (std::strncmp(program, called.prefix, prefix) != 0) continue;
        for (const TypeSpec &type : types())
            if (std::strcmp(program + prefix, type.name) == 0) return {&type, called.map};
    }
    return {nullptr, nullptr};
}

// Puts a type behind those that report the call already. Calls without a program have an entry too: exec and fork ask
// which call a task is in.
void add_call(std::vector<syscall_entry> &entries, call_entry syscall_entry::*abi, int number, const CallSpec &call,
              bool is_reported) {
    if (number < 0) return;
    call_entry &entry = entries[static_cast<size_t>(number)].*abi;
    entry.call = static_cast<uint16_t>(call.call);
    if (!is_reported) return;
    for (__u16 &type : entry.types) {
        if (type) continue;
        type = static_cast<__u16>(call.type);
        return;
    }
    throw LayoutError(std::string("the call ") + call.name + " is reported by more event types than there is room for");
}

// The one at sys_exit, from which all others of system calls are called.
bool is_dispatcher(const bpf_program *program) {
    return std::strcmp(bpf_program__name(program), "sys_exit") == 0;
}

// The event type that a program serves which has no place of its own, or notes paths for it; else no type.
const TypeSpec *type_served(const bpf_program *program) {
    const char *name = bpf_program__name(program);
    return notes_paths(name) ? type_noted_for(name) : called_program(name).type;
}

constexpr char kKernelBtf[] = "/sys/kernel/btf/vmlinux";

// Only CAP_SYS_ADMIN may. For a type that the kernel does not have, libbpf looks through those of its modules, and
// before 1.4 takes a refusal for the end; told where the types are, it looks there alone. Modules have none that are
// read here.
bool may_list_btf() {
    __u32 id = 0;
    return bpf_btf_get_next_id(0, &id) == 0 || errno != EPERM;
}

// Whether the running kernel has what a program attaches to.
bool has_attach_point(const btf *kernel, const bpf_program *program) {
    const std::string section = bpf_program__section_name(program);
    const std::string place = section.substr(section.find('/') + 1);
    if (notes_paths(bpf_program__name(program))) return can_note_paths(kernel, place.c_str());
    if (!kernel) return true;
    return btf__find_by_name_kind(kernel, ("btf_trace_" + place).c_str(), BTF_KIND_TYPEDEF) > 0;
}

// Tracepoints that had another name: io_uring_submit_req until 6.4 (2ad57931db64).
constexpr struct {
    const char *section;
    const char *older;
} kRenamed[] = {{"tp_btf/io_uring_submit_req", "io_uring_submit_sqe"}};

// A program that is called is of no use unless it is loaded for the tracepoint that its caller is attached to. Whether
// it now is, where the kernel has that under an older name; callers have a program for either.
bool meant_for_older_name(const btf *kernel, bpf_program *program) {
    if (!kernel || !called_program(bpf_program__name(program)).type) return false;
    for (const auto &[section, older] : kRenamed) {
        if (std::strcmp(bpf_program__section_name(program), section) != 0) continue;
        const std::string type = std::string("btf_trace_") + older;
        if (btf__find_by_name_kind(kernel, type.c_str(), BTF_KIND_TYPEDEF) <= 0) return false;
        return bpf_program__set_attach_target(program, 0, older) == 0;
    }
    return false;
}

// The event types whose programs for system calls are loaded.
TypeSet types_with_program(const bpf_object *object) {
    TypeSet found;
    bpf_program *program = nullptr;
    while ((program = bpf_object__next_program(object, program))) {
        const auto [type, map] = called_program(bpf_program__name(program));
        if (type && bpf_program__autoload(program) && std::strcmp(map, kSyscallPrograms) == 0) found.set(type->id);
    }
    return found;
}

// Kernels before 5.11 charge maps to this limit. Where it may not be raised the kernel may need no raising.
void raise_locked_memory_limit() {
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

} // namespace

Object::Object(const std::string &path, Strictness strictness) : path_(path) {
    capture_libbpf_log();
    clear_libbpf_log();
    raise_locked_memory_limit();
    try {
        open();
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

void Object::open() {
    bpf_object_open_opts options = {};
    options.sz = sizeof options;
    if (!may_list_btf()) options.btf_custom_path = kKernelBtf;
    bpf_object *opened = bpf_object__open_file(path_.c_str(), &options);
    // Before 1.0 libbpf returns the error as a pointer, later in errno; this asks for either.
    const long error = libbpf_get_error(opened);
    if (error) refuse(static_cast<int>(error));
    object_ = opened;
    leave_out_absent();
}

void Object::load(uint32_t ring_bytes, CallsSeenAt place) {
    if (place != CallsSeenAt::Functions || !load_at_functions(ring_bytes)) load_programs(ring_bytes);
    claim_objects();
    maps_ = std::make_unique<Maps>(map_descriptors());
}

// Where the kernel lets us be at the ends of functions, no system call but those that are wanted pays anything. False,
// and the object is as it was, where it does not.
bool Object::load_at_functions(uint32_t ring_bytes) {
    functions_error_ = ENOENT;
    if (!offers_fexit()) return false;
    const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
    std::vector<CallFunction> functions = find_call_functions(kernel.get(), types_with_program(object_));
    if (functions.empty()) return false;
    try {
        returns_ = std::make_unique<CallReturns>(object_, std::move(functions));
        load_programs(ring_bytes);
        returns_->load();
        functions_error_ = 0;
        return true;
    } catch (const LoadError &error) {
        functions_error_ = error.error;
        returns_.reset();
        bpf_object__close(object_);
        object_ = nullptr;
        open();
        leave_out_unwanted();
        return false;
    }
}

void Object::load_programs(uint32_t ring_bytes) {
    bpf_map *ring = bpf_object__find_map_by_name(object_, "ring");
    const int resized = ring ? bpf_map__set_max_entries(ring, ring_bytes) : -ENOENT;
    if (resized) refuse(resized);
    const int error = bpf_object__load(object_);
    if (error) refuse(error);
    fill_syscalls();
}

void Object::load_only(const std::vector<uint32_t> &wanted) {
    wanted_ = wanted;
    leave_out_unwanted();
}

void Object::leave_out_unwanted() {
    if (!wanted_) return;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const TypeSpec *type = type_served(program);
        if (type && std::find(wanted_->begin(), wanted_->end(), type->id) == wanted_->end())
            bpf_program__set_autoload(program, false);
    }
}

void Object::take_over(const std::string &folder) {
    maps_ = std::make_unique<Maps>(open_pinned_maps(folder));
    taken_from_ = folder;
}

// A kernel without modules, say, has no tracepoint for them: without this nothing at all would be loaded.
void Object::leave_out_absent() {
    btf *kernel = btf__load_vmlinux_btf();
    if (libbpf_get_error(kernel)) kernel = nullptr;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        if (has_attach_point(kernel, program) || meant_for_older_name(kernel, program)) continue;
        bpf_program__set_autoload(program, false);
    }
    btf__free(kernel);
}

// Which calls concern the programs, by number; and the programs that sys_exit goes on to.
void Object::fill_syscalls() {
    const TypeSet has_program = types_with_program(object_);
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const auto [type, map] = called_program(bpf_program__name(program));
        if (!type || bpf_program__fd(program) < 0) continue;
        const int fd = bpf_program__fd(program);
        update(map, &type->id, &fd);
    }
    std::vector<syscall_entry> entries(CALL_ENTRIES_MAX);
    for (size_t i = 0; i < calls().size; i++) {
        const CallSpec &call = calls()[i];
        const bool is_reported = has_program[call.type];
        add_call(entries, &syscall_entry::native, native_numbers()[i], call, is_reported);
        add_call(entries, &syscall_entry::narrow, foreign_numbers()[i], call, is_reported);
        for (const NumberSpec &more : more_foreign_numbers())
            if (std::strcmp(more.name, call.name) == 0)
                add_call(entries, &syscall_entry::narrow, more.number, call, is_reported);
    }
    for (const uint32_t number : differing_foreign_numbers()) entries[number].narrow.differs = 1;
    for (uint32_t number = 0; number < CALL_ENTRIES_MAX; number++) update("syscalls", &number, &entries[number]);
}

// Tells the programs which maps and programs are the sensor's own, so that they know who else touches them.
void Object::claim_objects() const {
    bpf_map *map;
    bpf_object__for_each_map(map, object_) if (bpf_map__fd(map) >= 0) claim_map(bpf_map__fd(map));
    bpf_program *program;
    bpf_object__for_each_program(program, object_) if (bpf_program__fd(program) >= 0)
        claim_program(bpf_program__fd(program));
    if (!returns_) return;
    for (const int array : returns_->arrays()) claim_map(array);
    for (const int one : returns_->programs()) claim_program(one);
}

void Object::claim_map(int descriptor) const {
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(descriptor, &info, &size)) refuse(errno);
    claim(BPF_OBJECT_TYPE_MAP, info.id);
}

void Object::claim_program(int descriptor) const {
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(descriptor, &info, &size)) refuse(errno);
    claim(BPF_OBJECT_TYPE_PROGRAM, info.id);
}

void Object::claim_link(int descriptor) const {
    bpf_link_info info{};
    uint32_t size = sizeof(info);
    // Before 5.8 links had no numbers, and without one nobody can ask for them.
    if (bpf_obj_get_info_by_fd(descriptor, &info, &size) == 0) claim(BPF_OBJECT_TYPE_LINK, info.id);
}

void Object::claim(uint32_t type, uint32_t id) const {
    const uint64_t key = static_cast<uint64_t>(type) << 32 | id;
    const uint8_t present = 1;
    update("own_objects", &key, &present);
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

// 0, or why it is not attached: ENOENT where it was left out.
int Object::attach_program(const bpf_program *program) {
    if (!bpf_program__autoload(program)) return ENOENT;
    bpf_link *link = bpf_program__attach(program);
    const long error = libbpf_get_error(link);
    if (error) return static_cast<int>(-error);
    links_[bpf_program__name(program)] = link;
    claim_link(bpf_link__fd(link));
    return 0;
}

std::vector<Attachment> Object::attach() {
    if (!taken_from_.empty()) return pinned_attachments();
    std::vector<Attachment> attachments;
    size_t noting = 0;
    if (returns_) {
        attachments = returns_->attach();
        for (const int link : returns_->links()) claim_link(link);
    }
    if (functions_error_) attachments.push_back({"call_functions", "fexit of system call functions", functions_error_});
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const char *name = bpf_program__name(program);
        if (called_program(name).type || (returns_ && is_dispatcher(program))) continue;
        const int error = attach_program(program);
        if (!notes_paths(name) || (error && error != ENOENT))
            attachments.push_back({name, bpf_program__section_name(program), error});
        else if (!error)
            noting++;
    }
    attachments.push_back(paths_noted_at(noting));
    return attachments;
}

// What was refused when the set was loaded has no link; why, is noted beside.
std::vector<Attachment> Object::pinned_attachments() const {
    std::vector<Attachment> attachments = CallReturns::pinned_attachments(taken_from_);
    const bool at_functions = !attachments.empty();
    size_t noting = 0;
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const char *name = bpf_program__name(program);
        if (called_program(name).type || (at_functions && is_dispatcher(program))) continue;
        if (notes_paths(name)) {
            noting += is_link_pinned(taken_from_, name) ? 1 : 0;
            continue;
        }
        const int missing = bpf_program__autoload(program) ? ENOLINK : ENOENT;
        const int error = is_link_pinned(taken_from_, name) ? 0 : missing;
        attachments.push_back({name, bpf_program__section_name(program), error});
    }
    attachments.push_back(paths_noted_at(noting));
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
    if (returns_) returns_->pin(folder);
    for (const auto &[name, link] : links_)
        if (bpf_obj_pin(bpf_link__fd(link), pin_path(folder, "links", name.c_str()).c_str())) refuse(errno);
}

void Object::detach() {
    if (returns_) returns_->detach();
    for (const auto &[name, link] : links_) bpf_link__destroy(link);
    links_.clear();
}

} // namespace nightjar
