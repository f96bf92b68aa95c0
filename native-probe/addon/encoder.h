// Encodes records as events, and events as batches (proto/nightjar/event/v1), by layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "batch_buffer.h"
#include "dns.h"
#include "layout.h"

namespace nightjar {

// An event is at most this long, encoded; a record's members and tail bound it well below.
constexpr size_t kEventBytesMax = 128 * 1024;

// Writes from the end of a buffer to its beginning: the length of what is nested is known when it is written.
class Encoder {
  public:
    explicit Encoder(const Layouts &layouts) : layouts_(layouts), buffer_(kEventBytesMax) {}

    // Encodes one record as an Event. False where the record is malformed: an unknown type, or a text outside of it.
    bool encode(const uint8_t *record, size_t size, uint64_t position);
    // Whether there is a layout for the record's type.
    bool knows(const uint8_t *record, size_t size) const;
    const uint8_t *data() const { return at_; }
    size_t size() const { return static_cast<size_t>(buffer_.data() + buffer_.size() - at_); }

  private:
    void members(const std::vector<Member> &members, const uint8_t *base);
    void member(const Member &member, const uint8_t *at);
    void number(const Member &member, const uint8_t *at);
    void text(const Member &member, const uint8_t *at);
    void path(const Member &member, const uint8_t *at);
    void joined_path(const Member &member, const uint8_t *at);
    void dns(const uint8_t *at);
    void dns_answer(const DnsAnswer &answer);
    void number_field(uint32_t number, uint64_t value);
    void bytes_field(uint32_t number, const std::string &value);
    void text_list(const Member &member, const uint8_t *at);
    void bytes(const Member &member, const uint8_t *from, size_t size);
    const uint8_t *tail(uint32_t offset, uint32_t length);
    void varint(uint64_t value);
    void raw(const void *from, size_t size);
    void key(const Member &member);
    uint8_t *room(size_t size);

    const Layouts &layouts_;
    std::vector<uint8_t> buffer_;
    uint8_t *at_ = nullptr;
    bool is_sound_ = true;
    const uint8_t *record_ = nullptr;
    size_t record_size_ = 0;
    // The components of the path that is being joined.
    std::vector<std::string_view> components_;
};

// The counters of one event type, summed over the CPUs.
struct LedgerRow {
    uint32_t type;
    ledger_counts counts;
};

struct BatchHead {
    const uint8_t *boot_id;
    uint64_t epoch;
    uint64_t first_position;
    uint64_t next_position;
    uint64_t boot_time_unix_ns;
    const std::vector<LedgerRow> *ledger;
};

constexpr size_t kBootIdBytes = 16;

// The fields of Batch before its events.
std::string encode_batch_head(const BatchHead &head);
// Appends one encoded event to a batch.
void append_event(BatchBuffer &batch, const uint8_t *event, size_t size);

} // namespace nightjar
