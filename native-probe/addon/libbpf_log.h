// The last lines that libbpf logged: the cause of a refusal is said nowhere else.
#pragma once

#include <string>

namespace nightjar {

// Keeps what libbpf logs instead of printing it, from now on and for the whole process.
void capture_libbpf_log();
void clear_libbpf_log();
// At most kLibbpfLogBytesMax, the end of it.
std::string libbpf_log();

} // namespace nightjar
