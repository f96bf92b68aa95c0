// Fuzzes the encoder: records as the kernel programs might write them if they, or memory, went wrong.
//
// The first byte of an input chooses the event type; what follows is the record, filled up with zeros where it is
// shorter than the type's struct. Its texts and lists may point anywhere.
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../addon/encoder.h"

namespace {

using nightjar::Layouts;
using nightjar::TypeLayout;

Layouts read_object() {
    const char *path = std::getenv("NIGHTJAR_FUZZ_OBJECT");
    btf *types = path ? btf__parse_elf(path, nullptr) : nullptr;
    if (!types || libbpf_get_error(types)) {
        std::fprintf(stderr, "NIGHTJAR_FUZZ_OBJECT must name the object of the kernel programs\n");
        std::exit(2);
    }
    Layouts layouts = nightjar::read_layouts(types);
    btf__free(types);
    return layouts;
}

const Layouts &layouts() {
    static const Layouts all = read_object();
    return all;
}

const TypeLayout *choose(uint8_t number) {
    static std::vector<const TypeLayout *> present;
    if (present.empty())
        for (const auto &layout : layouts())
            if (layout) present.push_back(layout.get());
    return present[number % present.size()];
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size == 0) return 0;
    const TypeLayout *layout = choose(input[0]);
    // Exactly as long as the record, so that reading behind it is noticed.
    std::vector<uint8_t> record(std::max<size_t>(size - 1, layout->size));
    std::memcpy(record.data(), input + 1, size - 1);
    std::memcpy(record.data() + nightjar::kRecordTypeOffset, &layout->id, sizeof(layout->id));
    static nightjar::Encoder encoder(layouts());
    if (!encoder.encode(record.data(), record.size(), size)) return 0;
    static nightjar::BatchBuffer batch(0, nightjar::kEventBytesMax);
    batch.clear();
    nightjar::append_event(batch, encoder.data(), encoder.size());
    if (batch.events_size() < encoder.size()) std::abort();
    return 0;
}
