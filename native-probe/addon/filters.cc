// Puts compiled filters into the kernel's maps, as a whole.
#include "filters.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "maps.h"

namespace nightjar {
namespace {

// Programs that began under the generation before have ended when this returns: it waits as synchronize_rcu does.
void wait_for_programs() {
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

// Deletes the keys of a generation. Deleting moves an iteration back to the beginning, so the keys are listed first.
int clear(int fd, size_t key_size, size_t generation_at, uint8_t generation) {
    std::vector<std::vector<uint8_t>> keys;
    std::vector<uint8_t> key(key_size), next(key_size);
    bool is_first = true;
    while (bpf_map_get_next_key(fd, is_first ? nullptr : key.data(), next.data()) == 0) {
        key = next;
        is_first = false;
        if (key[generation_at] == generation) keys.push_back(key);
    }
    if (errno != ENOENT) return errno;
    for (const auto &each : keys)
        if (bpf_map_delete_elem(fd, each.data()) && errno != ENOENT) return errno;
    return 0;
}

int fill(int fd, uint8_t *rows, size_t size, size_t key_size, size_t value_size, size_t generation_at,
         uint8_t generation) {
    const size_t row_size = key_size + value_size;
    for (size_t at = 0; at + row_size <= size; at += row_size) {
        uint8_t *row = rows + at;
        row[generation_at] = generation;
        if (bpf_map_update_elem(fd, row, row + key_size, BPF_ANY)) return errno;
    }
    return 0;
}

} // namespace

int replace_filters(const Maps &maps, settings *now, const FilterTables &tables) {
    if (tables.filters_size != EVENT_TYPE_IDS_MAX * sizeof(type_filter)) return EINVAL;
    if (tables.screen_size != sizeof(filter_screen)) return EINVAL;
    const uint8_t generation = (now->filter_generation + 1) % FILTER_GENERATIONS;
    const int keys = maps.fd("filter_keys"), paths = maps.fd("filter_paths");
    constexpr size_t key_at = offsetof(filter_key, generation), path_at = offsetof(filter_path, generation);

    wait_for_programs();
    int error = clear(keys, sizeof(filter_key), key_at, generation);
    if (!error) error = clear(paths, sizeof(filter_path), path_at, generation);
    if (!error)
        error =
            fill(keys, tables.keys, tables.keys_size, sizeof(filter_key), sizeof(filter_classes), key_at, generation);
    if (!error)
        error = fill(paths, tables.paths, tables.paths_size, sizeof(filter_path), sizeof(__u32), path_at, generation);
    const __u32 screen_key = generation;
    if (!error && bpf_map_update_elem(maps.fd("filter_screens"), &screen_key, tables.screen, BPF_ANY)) error = errno;
    for (__u32 type = 0; !error && type < EVENT_TYPE_IDS_MAX; type++) {
        const __u32 key = generation * EVENT_TYPE_IDS_MAX + type;
        const void *row = tables.filters + type * sizeof(type_filter);
        if (bpf_map_update_elem(maps.fd("filters"), &key, row, BPF_ANY)) error = errno;
    }
    if (!error) __atomic_store_n(&now->filter_generation, generation, __ATOMIC_RELEASE);
    return error;
}

} // namespace nightjar
