// The layout of every event type's record, read from the object's BTF and matched by name to the fields of proto/.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fields.h"
#include "kernel_maps.h"

struct btf;

namespace nightjar {

// A struct of the object and a message of proto/ do not fit; says which member or field.
class LayoutError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What a member of a record is, and so how it becomes a field.
enum class MemberKind : uint8_t {
    Unsigned,
    Signed,
    Bool,
    Characters,
    Text,
    Path,
    JoinedPath,
    TextList,
    Address,
    Dns,
    Message
};

// struct text, path_text, text_list and ip_address of bpf/record.h, joined_path of bpf/named.h.
struct TextMember {
    uint32_t offset;
    uint32_t length;
};
struct PathMember {
    uint32_t offset;
    uint16_t length;
    uint8_t truncated;
};
struct JoinedPathMember {
    PathMember directory;
    TextMember requested;
};
struct AddressMember {
    uint8_t length;
    uint8_t bytes[16];
};

struct Member {
    MemberKind kind;
    // Of a number or of Characters: its bytes. Of anything in an array: from one to the next.
    uint32_t size;
    uint32_t offset;
    // Of an array of structs: how many; else 1. All of an array's elements are encoded, empty ones too.
    uint32_t count;
    bool repeated;
    // The field's key, encoded.
    uint8_t key[5];
    uint8_t key_size;
    // 8 bytes of the struct, of which these bits are zero when there is nothing to encode; no bits where that cannot be
    // told so. They may begin before the struct, in what every record begins with.
    int32_t presence_at;
    uint64_t presence;
    // Of a Message: its members, in the order of their field numbers.
    std::vector<Member> members;
};

struct TypeLayout {
    uint32_t id;
    std::string name;
    // Bytes of the struct; the tail follows.
    uint32_t size;
    // Fields of Event, then the member of its oneof.
    std::vector<Member> members;
};

using Layouts = std::array<std::unique_ptr<TypeLayout>, EVENT_TYPE_IDS_MAX>;

// Whether a struct that does not fit its message is a mistake, or what does not fit is left out: another version made
// the records then.
enum class Strictness : uint8_t { Strict, PassOverUnknown };

// By event type. Strictly, all types of proto/ are there and whole; throws LayoutError where they are not.
Layouts read_layouts(const btf *types_of_object, Strictness strictness = Strictness::Strict);

// Where `type`, the id of the event type, is in every record.
constexpr uint32_t kRecordTypeOffset = 0;

} // namespace nightjar
