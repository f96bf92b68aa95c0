// Loads the programs for system calls again for each function, and attaches them.
#include "call_returns.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "fields.h"
#include "maps.h"
#include "pins.h"

namespace nightjar {
namespace {

constexpr char kDispatcher[] = "sys_exit";
constexpr char kArray[] = "syscall_programs";
constexpr char kLicense[] = "Dual BSD/GPL";
// Names of pinned links begin so.
constexpr char kLinkPrefix[] = "fexit_";

std::string program_of(uint32_t id) {
    for (const TypeSpec &type : types())
        if (type.id == id) return std::string("syscall_") + type.name;
    return "";
}

Attachment all_attached(size_t count) {
    return {kDispatcher, "fexit of " + std::to_string(count) + " system call functions", 0};
}

// The most frequent signature first, so that the fewest programs are loaded again.
void order_by_signature(std::vector<CallFunction> &functions) {
    std::map<int, size_t> counts;
    for (const CallFunction &function : functions) counts[function.signature]++;
    std::stable_sort(functions.begin(), functions.end(), [&](const CallFunction &a, const CallFunction &b) {
        return std::make_pair(counts[a.signature], a.signature) > std::make_pair(counts[b.signature], b.signature);
    });
}

} // namespace

CallReturns::CallReturns(bpf_object *object, std::vector<CallFunction> functions)
    : object_(object), functions_(std::move(functions)) {
    order_by_signature(functions_);
    bpf_program *program;
    bpf_object__for_each_program(program, object_) {
        const std::string name = bpf_program__name(program);
        if (!bpf_program__autoload(program)) continue;
        if (name != kDispatcher && name.compare(0, std::strlen("syscall_"), "syscall_") != 0) continue;
        bpf_program__set_expected_attach_type(program, BPF_TRACE_FEXIT);
        const int error = bpf_program__set_attach_target(program, 0, functions_.front().name.c_str());
        if (error) refuse(error);
    }
}

CallReturns::~CallReturns() {
    detach();
    for (const auto &[name, descriptor] : programs_) close(descriptor);
    for (const int descriptor : type_programs_) close(descriptor);
    for (const int array : arrays_) close(array);
}

void CallReturns::load() {
    std::map<int, std::vector<const CallFunction *>> by_signature;
    for (const CallFunction &function : functions_) by_signature[function.signature].push_back(&function);
    const bpf_program *dispatcher = bpf_object__find_program_by_name(object_, kDispatcher);
    const int own_array = bpf_object__find_map_fd_by_name(object_, kArray);
    for (const auto &[signature, functions] : by_signature) {
        const bool is_own = signature == functions_.front().signature;
        const int array = is_own ? own_array : make_array(functions);
        for (const CallFunction *function : functions)
            programs_[function->name] = load_again(dispatcher, *function, array);
    }
}

// The programs of the types that functions of one signature serve.
int CallReturns::make_array(const std::vector<const CallFunction *> &functions) {
    const int array =
        bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, kArray, sizeof(__u32), sizeof(__u32), EVENT_TYPE_IDS_MAX, nullptr);
    if (array < 0) refuse(errno);
    arrays_.push_back(array);
    std::set<uint32_t> types;
    for (const CallFunction *function : functions) types.insert(function->types.begin(), function->types.end());
    for (const uint32_t type : types) {
        const bpf_program *program = bpf_object__find_program_by_name(object_, program_of(type).c_str());
        const int loaded = load_again(program, *functions.front(), array);
        type_programs_.push_back(loaded);
        if (bpf_map_update_elem(array, &type, &loaded, BPF_ANY)) refuse(errno);
    }
    return array;
}

// A loaded program's instructions have the maps' descriptors in them; only the array becomes another.
int CallReturns::load_again(const bpf_program *program, const CallFunction &function, int array) const {
    std::vector<bpf_insn> instructions(bpf_program__insns(program),
                                       bpf_program__insns(program) + bpf_program__insn_cnt(program));
    const int own_array = bpf_object__find_map_fd_by_name(object_, kArray);
    for (bpf_insn &one : instructions) {
        const bool is_map = one.code == (BPF_LD | BPF_IMM | BPF_DW) && one.src_reg == BPF_PSEUDO_MAP_FD;
        if (is_map && one.imm == own_array) one.imm = array;
    }
    LIBBPF_OPTS(bpf_prog_load_opts, options);
    options.expected_attach_type = BPF_TRACE_FEXIT;
    options.attach_btf_id = static_cast<__u32>(function.id);
    const int loaded = bpf_prog_load(BPF_PROG_TYPE_TRACING, bpf_program__name(program), kLicense, instructions.data(),
                                     instructions.size(), &options);
    if (loaded < 0) refuse(errno);
    return loaded;
}

std::vector<Attachment> CallReturns::attach() {
    std::vector<Attachment> attachments;
    for (const auto &[name, program] : programs_) {
        const int link = bpf_raw_tracepoint_open(nullptr, program);
        if (link >= 0)
            links_[name] = link;
        else
            attachments.push_back({name, "fexit/" + name, errno});
    }
    if (!links_.empty()) attachments.push_back(all_attached(links_.size()));
    return attachments;
}

void CallReturns::pin(const std::string &folder) const {
    for (size_t i = 0; i < arrays_.size(); i++) {
        const std::string name = std::string(kArray) + "_" + std::to_string(i + 1);
        if (bpf_obj_pin(arrays_[i], pin_path(folder, "maps", name.c_str()).c_str())) refuse(errno);
    }
    for (const auto &[name, link] : links_)
        if (bpf_obj_pin(link, pin_path(folder, "links", (kLinkPrefix + name).c_str()).c_str())) refuse(errno);
}

std::vector<int> CallReturns::programs() const {
    std::vector<int> all = type_programs_;
    for (const auto &[name, program] : programs_) all.push_back(program);
    return all;
}

std::vector<int> CallReturns::links() const {
    std::vector<int> all;
    for (const auto &[name, link] : links_) all.push_back(link);
    return all;
}

void CallReturns::detach() {
    for (const auto &[name, link] : links_) close(link);
    links_.clear();
}

std::vector<Attachment> CallReturns::pinned_attachments(const std::string &folder) {
    std::error_code failed;
    size_t count = 0;
    for (const auto &entry : std::filesystem::directory_iterator(folder + "/links", failed))
        if (entry.path().filename().string().compare(0, std::strlen(kLinkPrefix), kLinkPrefix) == 0) count++;
    if (count == 0) return {};
    return {all_attached(count)};
}

} // namespace nightjar
