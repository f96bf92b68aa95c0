// Encodes records as protobuf, by the layout that was read when the object was loaded.
#include "encoder.h"

#include <algorithm>
#include <cstring>

namespace nightjar {
namespace {

constexpr uint64_t kEventPosition = 1;
constexpr uint64_t kBatchBootId = 1, kBatchEpoch = 2, kBatchFirst = 3, kBatchNext = 4, kBatchBootTime = 5;
constexpr uint64_t kBatchLedger = 6, kBatchEvents = 15;
constexpr uint64_t kLedgerType = 1, kLedgerSeen = 2, kLedgerFiltered = 3, kLedgerSubmitted = 4, kLedgerDrops = 5,
                   kLedgerFolded = 6, kLedgerGoverned = 7;
constexpr uint64_t kDropReason = 1, kDropCount = 2;
constexpr uint64_t kWireVarint = 0, kWireFixed64 = 1, kWireBytes = 2;

template <typename T>
T load(const uint8_t *at) {
    T value;
    std::memcpy(&value, at, sizeof(value));
    return value;
}

uint64_t load_number(const uint8_t *at, uint32_t size, bool is_signed) {
    switch (size) {
    case 1:
        return is_signed ? static_cast<uint64_t>(static_cast<int64_t>(load<int8_t>(at))) : load<uint8_t>(at);
    case 2:
        return is_signed ? static_cast<uint64_t>(static_cast<int64_t>(load<int16_t>(at))) : load<uint16_t>(at);
    case 4:
        return is_signed ? static_cast<uint64_t>(static_cast<int64_t>(load<int32_t>(at))) : load<uint32_t>(at);
    default:
        return load<uint64_t>(at);
    }
}

size_t varint_size(uint64_t value) {
    const int bits = 64 - __builtin_clzll(value | 1);
    return static_cast<size_t>(bits + 6) / 7;
}

// Byte by byte: what is this short is not worth a call of memcpy.
void write_varint(uint8_t *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7) *to++ = static_cast<uint8_t>(value | 0x80);
    *to = static_cast<uint8_t>(value);
}

void put_varint(std::string &to, uint64_t value) {
    for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
    to.push_back(static_cast<char>(value));
}

void put_number(std::string &to, uint64_t field, uint64_t value) {
    if (value == 0) return;
    put_varint(to, field << 3 | kWireVarint);
    put_varint(to, value);
}

void put_bytes(std::string &to, uint64_t field, const char *from, size_t size) {
    put_varint(to, field << 3 | kWireBytes);
    put_varint(to, size);
    to.append(from, size);
}

// Appends what stands between separators and is not empty.
void split(std::string_view text, char separator, std::vector<std::string_view> &into) {
    while (!text.empty()) {
        const size_t end = std::min(text.find(separator), text.size());
        if (end > 0) into.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::string encode_ledger_row(const LedgerRow &row) {
    std::string entry, drop;
    put_number(entry, kLedgerType, row.type);
    put_number(entry, kLedgerSeen, row.counts.seen);
    put_number(entry, kLedgerFiltered, row.counts.filtered);
    put_number(entry, kLedgerGoverned, row.counts.governed);
    put_number(entry, kLedgerFolded, row.counts.folded);
    put_number(entry, kLedgerSubmitted, row.counts.submitted);
    for (uint64_t reason = 0; reason < DROP_REASONS; reason++) {
        if (row.counts.dropped[reason] == 0) continue;
        drop.clear();
        put_number(drop, kDropReason, reason);
        put_number(drop, kDropCount, row.counts.dropped[reason]);
        put_bytes(entry, kLedgerDrops, drop.data(), drop.size());
    }
    return entry;
}

} // namespace

bool Encoder::encode(const uint8_t *record, size_t size, uint64_t position) {
    at_ = buffer_.data() + buffer_.size();
    if (size < sizeof(uint32_t)) return false;
    const uint32_t type = load<uint32_t>(record + kRecordTypeOffset);
    const TypeLayout *layout = type < layouts_.size() ? layouts_[type].get() : nullptr;
    if (!layout || size < layout->size) return false;

    is_sound_ = true;
    record_ = record;
    record_size_ = size;
    members(layout->members, record);
    if (position) {
        varint(position);
        varint(kEventPosition << 3 | kWireVarint);
    }
    return is_sound_;
}

bool Encoder::knows(const uint8_t *record, size_t size) const {
    if (size < sizeof(uint32_t)) return false;
    const uint32_t type = load<uint32_t>(record + kRecordTypeOffset);
    return type < layouts_.size() && layouts_[type];
}

// Backwards, so that what is read comes in the order of the field numbers.
void Encoder::members(const std::vector<Member> &members, const uint8_t *base) {
    for (size_t i = members.size(); i-- > 0;) {
        const Member &one = members[i];
        // Most members of a record are empty: this look alone is what they cost.
        if (one.presence && !(load<uint64_t>(base + one.presence_at) & one.presence)) continue;
        for (uint32_t n = one.count; n-- > 0;) member(one, base + one.offset + n * one.size);
    }
}

void Encoder::member(const Member &member, const uint8_t *at) {
    switch (member.kind) {
    case MemberKind::Unsigned:
    case MemberKind::Signed:
    case MemberKind::Bool:
        return number(member, at);
    case MemberKind::Characters: {
        const void *end = std::memchr(at, 0, member.size);
        return bytes(member, at, end ? static_cast<size_t>(static_cast<const uint8_t *>(end) - at) : member.size);
    }
    case MemberKind::Text:
        return text(member, at);
    case MemberKind::Path:
        return path(member, at);
    case MemberKind::JoinedPath:
        return joined_path(member, at);
    case MemberKind::TextList:
        return text_list(member, at);
    case MemberKind::Address: {
        const AddressMember address = load<AddressMember>(at);
        if (address.length > sizeof(address.bytes)) is_sound_ = false;
        return bytes(member, at + offsetof(AddressMember, bytes), is_sound_ ? address.length : 0);
    }
    case MemberKind::Dns:
        return dns(at);
    case MemberKind::Message: {
        const uint8_t *end = at_;
        members(member.members, at);
        const size_t size = static_cast<size_t>(end - at_);
        if (size == 0 && !member.repeated) return;
        varint(size);
        return key(member);
    }
    }
}

void Encoder::number(const Member &member, const uint8_t *at) {
    uint64_t value = load_number(at, member.size, member.kind == MemberKind::Signed);
    if (value == 0) return;
    varint(member.kind == MemberKind::Bool ? 1 : value);
    key(member);
}

// A piece of the record's tail; nothing, and the record is malformed, where it lies outside.
const uint8_t *Encoder::tail(uint32_t offset, uint32_t length) {
    if (offset <= record_size_ && length <= record_size_ - offset) return record_ + offset;
    is_sound_ = false;
    return nullptr;
}

void Encoder::text(const Member &member, const uint8_t *at) {
    const TextMember text = load<TextMember>(at);
    const uint8_t *from = tail(text.offset, text.length);
    if (from) bytes(member, from, text.length);
}

// "shadow\0etc\0" becomes "/etc/shadow", a lone NUL "/". A truncated path has lost its beginning, and with it the "/".
void Encoder::path(const Member &member, const uint8_t *at) {
    const PathMember path = load<PathMember>(at);
    const uint8_t *from = tail(path.offset, path.length);
    if (!from || path.length == 0) return;
    const uint8_t *end = at_;
    const uint8_t *const stop = from + path.length;
    while (from < stop) {
        const void *nul = std::memchr(from, 0, static_cast<size_t>(stop - from));
        const uint8_t *next = nul ? static_cast<const uint8_t *>(nul) : stop;
        raw(from, static_cast<size_t>(next - from));
        if (next + 1 < stop || !path.truncated) raw("/", 1);
        from = next + 1;
    }
    varint(static_cast<size_t>(end - at_));
    key(member);
}

// The directory and what was requested from it as one path: "." and ".." are taken out as if no component were a link.
void Encoder::joined_path(const Member &member, const uint8_t *at) {
    const JoinedPathMember path = load<JoinedPathMember>(at);
    const uint8_t *requested = tail(path.requested.offset, path.requested.length);
    const uint8_t *directory = tail(path.directory.offset, path.directory.length);
    if (!requested || !directory) return;
    std::string_view rest(reinterpret_cast<const char *>(requested), path.requested.length);
    std::string_view leaves(reinterpret_cast<const char *>(directory), path.directory.length);
    const bool is_absolute = !rest.empty() && rest[0] == '/';
    if (!is_absolute && leaves.empty()) return;

    components_.clear();
    if (!is_absolute) split(leaves, '\0', components_);
    std::reverse(components_.begin(), components_.end());
    const size_t known = components_.size();
    split(rest, '/', components_);
    size_t kept = known;
    for (size_t i = known; i < components_.size(); i++) {
        if (components_[i] == ".") continue;
        if (components_[i] != "..")
            components_[kept++] = components_[i];
        else if (kept > 0)
            kept--;
    }
    const uint8_t *end = at_;
    const bool has_root = is_absolute || !path.directory.truncated;
    for (size_t i = kept; i-- > 0;) {
        raw(components_[i].data(), components_[i].size());
        if (i > 0 || has_root) raw("/", 1);
    }
    if (kept == 0 && has_root) raw("/", 1);
    if (at_ == end) return;
    varint(static_cast<size_t>(end - at_));
    key(member);
}

// Each text has a NUL behind it; the last one may have been cut off before.
void Encoder::text_list(const Member &member, const uint8_t *at) {
    const TextMember list = load<TextMember>(at);
    const uint8_t *from = tail(list.offset, list.length);
    if (!from || list.length == 0) return;
    const uint8_t *end = from + list.length;
    if (end[-1] == 0) end--;
    while (true) {
        const void *nul = end > from ? memrchr(from, 0, static_cast<size_t>(end - from)) : nullptr;
        const uint8_t *begin = nul ? static_cast<const uint8_t *>(nul) + 1 : from;
        const size_t size = static_cast<size_t>(end - begin);
        raw(begin, size);
        varint(size);
        key(member);
        if (!nul) return;
        end = begin - 1;
    }
}

void Encoder::bytes(const Member &member, const uint8_t *from, size_t size) {
    if (size == 0) return;
    raw(from, size);
    varint(size);
    key(member);
}

// The next `size` bytes before what is written already; null, and the record malformed, when the buffer is full.
uint8_t *Encoder::room(size_t size) {
    if (size > static_cast<size_t>(at_ - buffer_.data())) {
        is_sound_ = false;
        return nullptr;
    }
    return at_ -= size;
}

void Encoder::varint(uint64_t value) {
    uint8_t *to = room(varint_size(value));
    if (to) write_varint(to, value);
}

void Encoder::key(const Member &member) {
    uint8_t *to = room(member.key_size);
    if (!to) return;
    for (size_t i = 0; i < member.key_size; i++) to[i] = member.key[i];
}

void Encoder::raw(const void *from, size_t size) {
    uint8_t *to = room(size);
    if (to) std::memcpy(to, from, size);
}

std::string encode_batch_head(const BatchHead &head) {
    std::string to;
    put_bytes(to, kBatchBootId, reinterpret_cast<const char *>(head.boot_id), kBootIdBytes);
    put_varint(to, kBatchEpoch << 3 | kWireFixed64);
    to.append(reinterpret_cast<const char *>(&head.epoch), sizeof(head.epoch));
    put_number(to, kBatchFirst, head.first_position);
    put_number(to, kBatchNext, head.next_position);
    put_number(to, kBatchBootTime, head.boot_time_unix_ns);
    if (!head.ledger) return to;
    for (const LedgerRow &row : *head.ledger) {
        const std::string entry = encode_ledger_row(row);
        put_bytes(to, kBatchLedger, entry.data(), entry.size());
    }
    return to;
}

void append_event(BatchBuffer &batch, const uint8_t *event, size_t size) {
    constexpr uint8_t kKey = kBatchEvents << 3 | kWireBytes;
    static_assert(kBatchEvents < 16);
    const size_t length_size = varint_size(size);
    uint8_t *const to = batch.grow(1 + length_size + size);
    *to = kKey;
    write_varint(to + 1, size);
    std::memcpy(to + 1 + length_size, event, size);
}

} // namespace nightjar
