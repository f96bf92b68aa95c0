// The programs that note what paths led to (bpf/resolved.h): whom they serve, and where they can be.
#pragma once

#include "call_returns.h"
#include "fields.h"

struct btf;

namespace nightjar {

// By a program's name, which is of the form resolved_TYPE__FUNCTION.
bool notes_paths(const char *program);
// For which event type; null where it is for none.
const TypeSpec *type_noted_for(const char *program);
// Whether such a program can be attached to one of the kernel's functions, and find out there what it must.
bool can_note_paths(const btf *kernel, const char *function);
// One answer for all of them.
Attachment paths_noted_at(size_t functions);

} // namespace nightjar
