// The messages of proto/ as tables: what gen/tables.cc fills and the layout and the encoder read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nightjar {

enum class FieldKind : uint8_t { Unsigned, Signed, Bool, Bytes, Message };

struct FieldSpec {
    const char *name;
    uint32_t number;
    FieldKind kind;
    bool repeated;
    // Of a message: its index in messages(); else -1.
    int message;
};

struct MessageSpec {
    const char *name;
    const FieldSpec *fields;
    size_t count;
};

// A member of Event's oneof.
struct TypeSpec {
    uint32_t id;
    const char *name;
    int message;
};

// A number under which a call is known too.
struct NumberSpec {
    int number;
    const char *name;
};

// A value of enum Call, and the event type that reports it.
struct CallSpec {
    const char *name;
    uint32_t call;
    uint32_t type;
};

template <typename Row>
struct Table {
    const Row *rows;
    size_t size;
    const Row *begin() const { return rows; }
    const Row *end() const { return rows + size; }
    const Row &operator[](size_t index) const { return rows[index]; }
};

// Event is the first.
Table<MessageSpec> messages();
Table<TypeSpec> types();
Table<CallSpec> calls();
// Row for row those of calls(): the system call's number in the machine's own and in its 32-bit ABI, -1 where it has
// none.
Table<int> native_numbers();
Table<int> foreign_numbers();
// Calls that the 32-bit ABI has again under another name, and what its socketcall can do.
Table<NumberSpec> more_foreign_numbers();
// Calls of the 32-bit ABI with other structures in memory than a program of the machine's own ABI has.
Table<int> differing_foreign_numbers();

} // namespace nightjar
