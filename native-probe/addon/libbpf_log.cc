// Keeps the end of libbpf's log in memory.
#include "libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace nightjar {
namespace {

// Enough for the end of a verifier's log.
constexpr size_t kLibbpfLogBytesMax = 8192;

std::mutex mutex;
std::string kept;

int keep(enum libbpf_print_level level, const char *format, va_list arguments) {
    if (level == LIBBPF_DEBUG) return 0;
    va_list measured;
    va_copy(measured, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, measured);
    va_end(measured);
    if (length <= 0) return 0;
    // The verifier's log comes as one line of up to 16 MiB, and what it refuses stands at the end of it.
    std::string line(static_cast<size_t>(length) + 1, '\0');
    std::vsnprintf(line.data(), line.size(), format, arguments);
    line.pop_back();
    const std::lock_guard<std::mutex> lock(mutex);
    kept += line;
    if (kept.size() > kLibbpfLogBytesMax) kept.erase(0, kept.size() - kLibbpfLogBytesMax);
    return 0;
}

} // namespace

void capture_libbpf_log() {
    libbpf_set_print(keep);
}

void clear_libbpf_log() {
    const std::lock_guard<std::mutex> lock(mutex);
    kept.clear();
}

std::string libbpf_log() {
    const std::lock_guard<std::mutex> lock(mutex);
    return kept;
}

} // namespace nightjar
