// Finds the functions of the system calls by their names among the kernel's symbols.
#include "call_functions.h"

#include <bpf/btf.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "fields.h"

namespace nightjar {
namespace {

enum class Abi { Native, Narrow };

struct Prefix {
    const char *text;
    Abi abi;
};

// What the macros SYSCALL_DEFINE and COMPAT_SYSCALL_DEFINE put before a call's name.
constexpr Prefix kPrefixes[] = {
#if defined(__x86_64__)
    {"__x64_sys_", Abi::Native},
    {"__ia32_sys_", Abi::Narrow},
    {"__ia32_compat_sys_", Abi::Narrow},
#elif defined(__aarch64__)
    {"__arm64_sys_", Abi::Native},
    {"__arm64_compat_sys_", Abi::Narrow},
// Calls of 32 bits whose arguments are the same share the function.
#endif
};

struct Alias {
    const char *function;
    const char *call;
    Abi abi;
};

// Functions that are not named as the call is (arch/x86/entry/syscalls/syscall_64.tbl and syscall_32.tbl).
constexpr Alias kAliases[] = {
    {"umount", "umount2", Abi::Native},
    {"umount", "umount2", Abi::Narrow},
    {"oldumount", "umount2", Abi::Narrow},
    {"chown16", "chown", Abi::Narrow},
    {"lchown16", "lchown", Abi::Narrow},
    {"fchown16", "fchown", Abi::Narrow},
    {"setuid16", "setuid", Abi::Narrow},
    {"setgid16", "setgid", Abi::Narrow},
    {"setreuid16", "setreuid", Abi::Narrow},
    {"setregid16", "setregid", Abi::Narrow},
    {"setresuid16", "setresuid", Abi::Narrow},
    {"setresgid16", "setresgid", Abi::Narrow},
    {"setfsuid16", "setfsuid", Abi::Narrow},
    {"setfsgid16", "setfsgid", Abi::Narrow},
    {"ia32_mmap", "mmap", Abi::Narrow},
    {"mmap_pgoff", "mmap", Abi::Narrow},
    {"ia32_mmap_pgoff", "mmap", Abi::Narrow},
    {"ia32_truncate64", "truncate", Abi::Narrow},
    {"ia32_ftruncate64", "ftruncate", Abi::Narrow},
    {"fcntl64", "fcntl", Abi::Narrow},
    {"utime32", "utime", Abi::Narrow},
    {"utimes_time32", "utimes", Abi::Narrow},
    {"futimesat_time32", "futimesat", Abi::Narrow},
    {"utimensat_time32", "utimensat", Abi::Narrow},
    {"clock_settime32", "clock_settime", Abi::Narrow},
    {"clock_adjtime32", "clock_adjtime", Abi::Narrow},
    {"adjtimex_time32", "adjtimex", Abi::Narrow},
    {"recvmmsg_time32", "recvmmsg", Abi::Narrow},
    {"recvmmsg_time64", "recvmmsg", Abi::Narrow},
    {"socketcall", "socket", Abi::Narrow},
    {"socketcall", "bind", Abi::Narrow},
    {"socketcall", "connect", Abi::Narrow},
    {"socketcall", "listen", Abi::Narrow},
    {"socketcall", "accept", Abi::Narrow},
    {"socketcall", "accept4", Abi::Narrow},
    {"socketcall", "socketpair", Abi::Narrow},
    {"socketcall", "sendto", Abi::Narrow},
    {"socketcall", "recvfrom", Abi::Narrow},
    {"socketcall", "sendmsg", Abi::Narrow},
    {"socketcall", "recvmsg", Abi::Narrow},
    {"socketcall", "sendmmsg", Abi::Narrow},
    {"socketcall", "recvmmsg", Abi::Narrow},
    {"socketcall", "shutdown", Abi::Narrow},
    {"socketcall", "setsockopt", Abi::Narrow},
    {"socketcall", "getsockopt", Abi::Narrow},
};

using TypesOfFunction = std::map<std::string, std::set<uint32_t>>;

std::set<uint32_t> types_of_call(const char *name, const TypeSet &wanted) {
    std::set<uint32_t> found;
    for (const CallSpec &call : calls())
        if (wanted[call.type] && std::strcmp(call.name, name) == 0) found.insert(call.type);
    return found;
}

// Which functions could be there, and the types each would serve.
TypesOfFunction possible_functions(const TypeSet &wanted) {
    TypesOfFunction possible;
    for (const Prefix &prefix : kPrefixes) {
        const auto add = [&](const char *function, const char *call) {
            const std::set<uint32_t> types = types_of_call(call, wanted);
            if (!types.empty()) possible[std::string(prefix.text) + function].insert(types.begin(), types.end());
        };
        for (const CallSpec &call : calls()) add(call.name, call.name);
        for (const Alias &alias : kAliases)
            if (alias.abi == prefix.abi) add(alias.function, alias.call);
    }
    return possible;
}

// The kernel's functions, without those that stand in weakly for a call that is not configured.
std::set<std::string> kernel_functions() {
    std::set<std::string> found;
    std::ifstream file("/proc/kallsyms");
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string address, kind, name;
        if (words >> address >> kind >> name && (kind == "T" || kind == "t")) found.insert(name);
    }
    return found;
}

int id_of(const btf *kernel, const std::string &name) {
    return btf__find_by_name_kind(kernel, name.c_str(), BTF_KIND_FUNC);
}

// Calls without arguments are other names of one function, and only its own name is in the BTF (SYSCALL_DEFINE0).
int function_id(const btf *kernel, const std::string &name) {
    const int id = id_of(kernel, name);
    const size_t begin = name.find("sys_");
    return id > 0 || begin == std::string::npos ? id : id_of(kernel, "__do_" + name.substr(begin));
}

} // namespace

std::vector<CallFunction> find_call_functions(const btf *kernel, const TypeSet &types) {
    std::vector<CallFunction> found;
    std::set<int> ids;
    const std::set<std::string> present = kernel_functions();
    for (const auto &[name, of_types] : possible_functions(types)) {
        if (!present.count(name)) continue;
        const int id = function_id(kernel, name);
        if (id < 0) return {};
        if (!ids.insert(id).second) continue;
        found.push_back({name, id, static_cast<int>(btf__type_by_id(kernel, static_cast<__u32>(id))->type), of_types});
    }
    return found;
}

} // namespace nightjar
