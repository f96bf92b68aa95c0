// What the running kernel offers, found out by trying.
#pragma once

#include <vector>

namespace nightjar {

struct Offer {
    // e.g. "fexit"; src/offers.ts knows them all by these names.
    const char *name;
    // 0, or the errno with which the kernel refused.
    int error;
};

// Loads a program that does nothing at each kind of place, attaches it, and lets go of it again.
std::vector<Offer> ask_kernel();
// Only whether programs can be attached to functions, and to the ends of them.
bool offers_fentry();
bool offers_fexit();

} // namespace nightjar
