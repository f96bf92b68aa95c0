// Puts compiled filters into the kernel's maps, as a whole.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel_maps.h"

namespace nightjar {

class Maps;

// Rows of the maps that filters are in, one after the other, as bpf/shared.h has them. Generations are filled in here.
struct FilterTables {
    // A type_filter for each event type.
    uint8_t *filters;
    size_t filters_size;
    uint8_t *screen;
    size_t screen_size;
    // A filter_key and its filter_classes each.
    uint8_t *keys;
    size_t keys_size;
    // A filter_path and its classes, 32 bits, each.
    uint8_t *paths;
    size_t paths_size;
};

// Writes the generation that is not in force, then switches: every event is judged by the old filters or by the new
// ones. Returns 0 or an errno; then the old ones stay in force.
int replace_filters(const Maps &maps, settings *now, const FilterTables &tables);

} // namespace nightjar
