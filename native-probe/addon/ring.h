// The kernel's ring buffer, mapped: reading ahead of what is given back.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace nightjar {

// libbpf's own reader gives each record back as it is read. Here the place of reading and the place up to which the
// kernel may overwrite are apart, so that a record stays in the ring until its batch is safe elsewhere.
class Ring {
  public:
    // A record of the ring. `data` is null where there is none to be read now, or the record was discarded.
    struct Record {
        const uint8_t *data;
        uint32_t size;
        uint64_t position;
    };

    Ring() = default;
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;
    ~Ring() { unmap(); }

    // Maps the ring of a BPF map; `bytes` is the map's max_entries. Returns 0 or an errno.
    int map(int map_fd, size_t bytes);
    void unmap();

    // Moves on by one record; false where none is ready. `record.data` is null for a discarded one.
    bool next(Record &record);
    // Where reading goes on.
    uint64_t position() const { return position_; }
    // Gives everything before `position` back to the kernel. May be called from another thread than next().
    void release(uint64_t position);
    uint64_t released() const { return consumer_->load(std::memory_order_acquire); }
    // Up to where the kernel has written or is writing.
    uint64_t written() const { return producer_->load(std::memory_order_acquire); }
    bool is_mapped() const { return consumer_ != nullptr; }

  private:
    std::atomic<uint64_t> *consumer_ = nullptr;
    const std::atomic<uint64_t> *producer_ = nullptr;
    const uint8_t *data_ = nullptr;
    size_t bytes_ = 0;
    size_t page_ = 0;
    uint64_t position_ = 0;
};

} // namespace nightjar
