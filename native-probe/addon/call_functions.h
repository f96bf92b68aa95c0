// The kernel's own functions of the system calls: programs at their ends cost other calls nothing.
#pragma once

#include <bitset>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "kernel_maps.h"

struct btf;

namespace nightjar {

struct CallFunction {
    // e.g. "__x64_sys_openat"
    std::string name;
    // Of the function, and of its signature, in the kernel's BTF.
    int id;
    int signature;
    // The event types that report the calls it serves.
    std::set<uint32_t> types;
};

using TypeSet = std::bitset<EVENT_TYPE_IDS_MAX>;

// Every function by which a call of these types can be made, of the 32-bit ABI too. Empty where one of them cannot be
// had: then all have to be seen where they return to the program.
std::vector<CallFunction> find_call_functions(const btf *kernel, const TypeSet &types);

} // namespace nightjar
