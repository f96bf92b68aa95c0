// What the addon shares with the kernel programs: event types, and the values of the maps.
#pragma once

#include <linux/types.h>

#include "../gen/events.h"

#include "../bpf/shared.h"
