// Reads the layout of records from BTF: members are matched to fields of proto/ by name, their types by kind.
#include "layout.h"

#include <bpf/btf.h>

#include <algorithm>
#include <cstring>

#include "dns_fields.h"

namespace nightjar {
namespace {

constexpr uint32_t kWireVarint = 0;
constexpr uint32_t kWireBytes = 2;
// A record's structs nest this deep at most; deeper ones would be a mistake.
constexpr int kNestingMax = 8;

// Structs of bpf/record.h and bpf/named.h that stand for bytes.
struct BytesKind {
    const char *name;
    MemberKind kind;
    bool repeated;
};
constexpr BytesKind kBytesKinds[] = {
    {"text", MemberKind::Text, false},
    {"path_text", MemberKind::Path, false},
    {"joined_path", MemberKind::JoinedPath, false},
    {"text_list", MemberKind::TextList, true},
    {"ip_address", MemberKind::Address, false},
};

struct Type {
    const btf_type *type;
    uint32_t id;
};

// What of a message was found in a struct.
struct Found {
    std::vector<Member> members;
    std::vector<const FieldSpec *> fields;
};

class LayoutReader {
  public:
    LayoutReader(const btf *types, Strictness strictness) : btf_(types), is_strict_(strictness == Strictness::Strict) {}
    TypeLayout read_type(const TypeSpec &spec);

  private:
    std::string name_of(const btf_type *type) const { return btf__name_by_offset(btf_, type->name_off); }
    Type resolve(uint32_t id) const;
    bool is_dns_struct(const Type &of) const { return btf_is_struct(of.type) && name_of(of.type) == kDnsStruct; }
    std::vector<Member> read_struct(const btf_type *type, const MessageSpec &message, uint32_t base, int nesting);
    void read_members(const btf_type *type, const MessageSpec &message, uint32_t base, int nesting, Found &found);
    Member read_member(uint32_t type_id, const FieldSpec &field, uint32_t offset, int nesting);
    void read_number(const Type &of, const FieldSpec &field, Member &member);
    void read_array(const Type &of, const FieldSpec &field, Member &member, int nesting);
    void read_composite(const Type &of, const FieldSpec &field, Member &member, int nesting);
    void require_all(const MessageSpec &message, const std::vector<const FieldSpec *> &found) const;
    [[noreturn]] void fail(const std::string &what) const { throw LayoutError(where_ + ": " + what); }

    const btf *btf_;
    const bool is_strict_;
    std::string where_;
};

void encode_key(const FieldSpec &field, uint32_t wire, Member &member) {
    uint32_t key = field.number << 3 | wire;
    for (; key >= 0x80; key >>= 7) member.key[member.key_size++] = static_cast<uint8_t>(key | 0x80);
    member.key[member.key_size++] = static_cast<uint8_t>(key);
}

const FieldSpec *find_field(const MessageSpec &message, const std::string &name) {
    for (size_t i = 0; i < message.count; i++)
        if (name == message.fields[i].name) return &message.fields[i];
    return nullptr;
}

// The field number is what the key begins with, so members sort by their keys' numbers.
uint32_t number_of(const Member &member) {
    uint32_t key = 0;
    for (int i = member.key_size - 1; i >= 0; i--) key = key << 7 | (member.key[i] & 0x7f);
    return key >> 3;
}

// Where a member shows that there is something to encode: a number itself, else its length or its first character.
void find_presence(Member &member, uint32_t struct_size) {
    uint32_t at = member.offset, size = member.size;
    switch (member.kind) {
    case MemberKind::Unsigned:
    case MemberKind::Signed:
    case MemberKind::Bool:
        break;
    case MemberKind::Text:
    case MemberKind::TextList:
        at += offsetof(TextMember, length);
        size = sizeof(TextMember::length);
        break;
    case MemberKind::Path:
        at += offsetof(PathMember, length);
        size = sizeof(PathMember::length);
        break;
    case MemberKind::Address:
    case MemberKind::Characters:
        size = 1;
        break;
    case MemberKind::JoinedPath:
    case MemberKind::Dns:
    case MemberKind::Message:
        return;
    }
    if (member.count != 1) return;
    // Never read behind the struct, which may be where the record ends.
    const uint32_t back = std::max(at + sizeof(uint64_t), size_t{struct_size}) - struct_size;
    member.presence_at = static_cast<int32_t>(at) - static_cast<int32_t>(back);
    member.presence = (~uint64_t{0} >> (64 - 8 * size)) << (8 * back);
}

Type LayoutReader::resolve(uint32_t id) const {
    const btf_type *type = btf__type_by_id(btf_, id);
    while (btf_is_mod(type) || btf_is_typedef(type)) {
        id = type->type;
        type = btf__type_by_id(btf_, id);
    }
    return {type, id};
}

void LayoutReader::read_number(const Type &of, const FieldSpec &field, Member &member) {
    const bool is_signed = btf_is_int(of.type) && (btf_int_encoding(of.type) & BTF_INT_SIGNED);
    member.size = of.type->size;
    switch (field.kind) {
    case FieldKind::Bool:
        if (member.size != 1) fail("a bool is one byte");
        member.kind = MemberKind::Bool;
        break;
    case FieldKind::Signed:
        if (!is_signed) fail("the field is signed, the member is not");
        member.kind = MemberKind::Signed;
        break;
    case FieldKind::Unsigned:
        if (is_signed) fail("the member is signed, the field is not");
        member.kind = MemberKind::Unsigned;
        break;
    default:
        fail("a number cannot become this field");
    }
    encode_key(field, kWireVarint, member);
}

// Characters in place, or structs one behind the other.
void LayoutReader::read_array(const Type &of, const FieldSpec &field, Member &member, int nesting) {
    const struct btf_array *array = btf_array(of.type);
    const Type element = resolve(array->type);
    if (btf_is_int(element.type) && element.type->size == 1 && field.kind == FieldKind::Bytes && !field.repeated) {
        member.kind = MemberKind::Characters;
        member.size = array->nelems;
        encode_key(field, kWireBytes, member);
        return;
    }
    if (!btf_is_struct(element.type) || !field.repeated) fail("only characters and structs come in arrays");
    read_composite(element, field, member, nesting);
    member.count = array->nelems;
    member.repeated = true;
}

void LayoutReader::read_composite(const Type &of, const FieldSpec &field, Member &member, int nesting) {
    const std::string name = name_of(of.type);
    member.size = of.type->size;
    encode_key(field, kWireBytes, member);
    for (const BytesKind &kind : kBytesKinds) {
        if (name != kind.name) continue;
        if (field.kind != FieldKind::Bytes || field.repeated != kind.repeated) fail("struct " + name + " does not fit");
        member.kind = kind.kind;
        return;
    }
    if (field.kind != FieldKind::Message) fail("struct " + name + " does not fit a field that is no message");
    if (nesting >= kNestingMax) fail("structs nest too deep");
    member.kind = MemberKind::Message;
    const std::string outer = where_;
    member.members = read_struct(of.type, messages()[field.message], 0, nesting + 1);
    where_ = outer;
}

Member LayoutReader::read_member(uint32_t type_id, const FieldSpec &field, uint32_t offset, int nesting) {
    Member member{};
    member.offset = offset;
    member.count = 1;
    const Type type = resolve(type_id);
    if (btf_is_int(type.type) || btf_is_enum(type.type)) {
        if (field.repeated) fail("the field is repeated, the member is not");
        read_number(type, field, member);
    } else if (btf_is_array(type.type)) {
        read_array(type, field, member, nesting);
    } else if (btf_is_struct(type.type)) {
        read_composite(type, field, member, nesting);
        if (field.repeated && member.kind != MemberKind::TextList) fail("the field is repeated, the member is not");
    } else {
        fail("a member of this type cannot be encoded");
    }
    return member;
}

// A struct whose member's name is no field's stands for its own members: several records share those.
void LayoutReader::read_members(const btf_type *type, const MessageSpec &message, uint32_t base, int nesting,
                                Found &found) {
    const std::string owner = "struct " + name_of(type);
    for (uint32_t i = 0; i < btf_vlen(type); i++) {
        const btf_member *member = btf_members(type) + i;
        const std::string name = btf__name_by_offset(btf_, member->name_off);
        where_ = owner + " member " + name;
        const FieldSpec *field = find_field(message, name);
        // `header` is read by itself, and the type is its place in the oneof.
        if (nesting == 0 && !field && (name == "header" || name == "type")) continue;
        const uint32_t offset = base + btf_member_bit_offset(type, i) / 8;
        const Type of = resolve(member->type);
        if (is_dns_struct(of)) {
            Member dns{};
            dns.kind = MemberKind::Dns;
            dns.offset = offset;
            dns.count = 1;
            found.members.push_back(dns);
            continue;
        }
        if (!field && btf_is_struct(of.type) && nesting < kNestingMax) {
            read_members(of.type, message, offset, nesting + 1, found);
            continue;
        }
        if (!field && !is_strict_) continue;
        if (!field) fail(std::string("message ") + message.name + " has no field of this name");
        if (btf_member_bitfield_size(type, i)) fail("a bit field cannot be encoded");
        try {
            found.members.push_back(read_member(member->type, *field, offset, nesting));
            found.fields.push_back(field);
        } catch (const LayoutError &) {
            if (is_strict_) throw;
        }
    }
    where_ = owner;
}

std::vector<Member> LayoutReader::read_struct(const btf_type *type, const MessageSpec &message, uint32_t base,
                                              int nesting) {
    Found found;
    read_members(type, message, base, nesting, found);
    require_all(message, found.fields);
    std::sort(found.members.begin(), found.members.end(),
              [](const Member &a, const Member &b) { return number_of(a) < number_of(b); });
    for (Member &member : found.members) find_presence(member, base + type->size);
    return found.members;
}

void LayoutReader::require_all(const MessageSpec &message, const std::vector<const FieldSpec *> &found) const {
    if (!is_strict_) return;
    const bool is_event = &message == &messages()[0];
    for (size_t i = 0; i < message.count; i++) {
        const FieldSpec &field = message.fields[i];
        // The addon fills the position; the members of the oneof are structs of their own.
        if (is_event && (field.kind == FieldKind::Message || std::strcmp(field.name, "position") == 0)) continue;
        if (std::strcmp(message.name, "Dns") == 0 && is_dns_field(field.name)) continue;
        if (std::find(found.begin(), found.end(), &field) == found.end())
            fail(std::string("it lacks ") + message.name + "'s field " + field.name);
    }
}

TypeLayout LayoutReader::read_type(const TypeSpec &spec) {
    const std::string name = std::string(spec.name) + "_event";
    where_ = "struct " + name;
    const int id = btf__find_by_name_kind(btf_, name.c_str(), BTF_KIND_STRUCT);
    if (id < 0) fail("the object does not have it");
    const btf_type *type = btf__type_by_id(btf_, static_cast<uint32_t>(id));
    const btf_member *first = btf_members(type);
    const Type header = resolve(first->type);
    if (btf_vlen(type) == 0 || btf_member_bit_offset(type, 0) != 0 || !btf_is_struct(header.type) ||
        name_of(header.type) != "event_header")
        fail("its first member is not struct event_header");

    TypeLayout layout{spec.id, spec.name, type->size, read_struct(header.type, messages()[0], 0, 0)};
    const FieldSpec *field = find_field(messages()[0], spec.name);
    Member data{};
    data.kind = MemberKind::Message;
    data.count = 1;
    // The member of a oneof is encoded even when it is empty: it says which type it is.
    data.repeated = true;
    encode_key(*field, kWireBytes, data);
    data.members = read_struct(type, messages()[spec.message], 0, 0);
    layout.members.push_back(data);
    return layout;
}

} // namespace

Layouts read_layouts(const btf *types_of_object, Strictness strictness) {
    Layouts layouts;
    for (const TypeSpec &spec : types()) {
        try {
            layouts[spec.id] = std::make_unique<TypeLayout>(LayoutReader(types_of_object, strictness).read_type(spec));
        } catch (const LayoutError &) {
            if (strictness == Strictness::Strict) throw;
        }
    }
    return layouts;
}

} // namespace nightjar
