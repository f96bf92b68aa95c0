// The memory of a batch, used again when the batch is released: most of what a batch costs is fresh memory.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "../gen/events.h"

namespace nightjar {

constexpr size_t kBatchBytesMax = 256 * 1024;

// The head's length is known last, when the events are there: it is written backwards, before them.
class BatchBuffer {
  public:
    // `number` tells apart the buffers of one reader, from 0 on. No event is longer than `event_bytes_max`, encoded.
    BatchBuffer(size_t number, size_t event_bytes_max)
        : number_(number), bytes_max_(kHeadBytesMax + kBatchBytesMax + event_bytes_max),
          // Not set to zero, so that what is never used is never there.
          memory_(new uint8_t[bytes_max_]) {}

    void clear() { head_ = end_ = kHeadBytesMax; }
    // Room for another `size` bytes at the end; the caller fills it.
    uint8_t *grow(size_t size) {
        assert(size <= bytes_max_ - end_);
        uint8_t *const to = memory_.get() + end_;
        end_ += size;
        return to;
    }
    void set_head(std::string_view head) {
        assert(head.size() <= kHeadBytesMax);
        head_ = kHeadBytesMax - head.size();
        std::memcpy(memory_.get() + head_, head.data(), head.size());
    }

    size_t number() const { return number_; }
    // The whole of it, and where in it head and events lie.
    uint8_t *memory() { return memory_.get(); }
    size_t memory_size() const { return bytes_max_; }
    size_t begin() const { return head_; }
    size_t size() const { return end_ - head_; }
    size_t events_size() const { return end_ - kHeadBytesMax; }

  private:
    // The fields before the ledger, and of each event type its row: 6 numbers, and a message for each reason of drops.
    static constexpr size_t kNumberBytesMax = 11, kMessageBytesMax = 4;
    static constexpr size_t kLedgerRowBytesMax =
        kMessageBytesMax + 6 * kNumberBytesMax + DROP_REASONS * (kMessageBytesMax + 2 * kNumberBytesMax);
    static constexpr size_t kHeadBytesMax = 128 + EVENT_TYPE_IDS_MAX * kLedgerRowBytesMax;

    const size_t number_;
    const size_t bytes_max_;
    const std::unique_ptr<uint8_t[]> memory_;
    size_t head_ = kHeadBytesMax;
    size_t end_ = kHeadBytesMax;
};

} // namespace nightjar
