// Reads the mapped ring buffer as kernel/bpf/ringbuf.c lays it out.
#include "ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace nightjar {
namespace {

// A record is preceded by its length with two flags, and a page offset that is the kernel's own.
constexpr uint32_t kHeaderBytes = 8;
constexpr uint32_t kBusy = 1U << 31;
constexpr uint32_t kDiscarded = 1U << 30;

static_assert(sizeof(std::atomic<uint64_t>) == sizeof(uint64_t) && sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

} // namespace

int Ring::map(int map_fd, size_t bytes) {
    page_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes_ = bytes;
    // The consumer's page is ours to write; the producer's page and the data, mapped twice in a row, are not.
    void *consumer = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (consumer == MAP_FAILED) return errno;
    void *producer = mmap(nullptr, page_ + 2 * bytes, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page_));
    if (producer == MAP_FAILED) {
        const int error = errno;
        munmap(consumer, page_);
        return error;
    }
    consumer_ = static_cast<std::atomic<uint64_t> *>(consumer);
    producer_ = static_cast<const std::atomic<uint64_t> *>(producer);
    data_ = static_cast<const uint8_t *>(producer) + page_;
    position_ = released();
    return 0;
}

void Ring::unmap() {
    if (!consumer_) return;
    munmap(consumer_, page_);
    munmap(const_cast<uint8_t *>(data_) - page_, page_ + 2 * bytes_);
    consumer_ = nullptr;
}

bool Ring::next(Record &record) {
    if (position_ >= written()) return false;
    const uint8_t *at = data_ + (position_ & (bytes_ - 1));
    const auto *header = reinterpret_cast<const std::atomic<uint32_t> *>(at);
    const uint32_t length = header->load(std::memory_order_acquire);
    if (length & kBusy) return false;
    const uint32_t size = length & ~kDiscarded;
    record = {length & kDiscarded ? nullptr : at + kHeaderBytes, size, position_};
    position_ += (size + kHeaderBytes + 7) / 8 * 8;
    return true;
}

void Ring::release(uint64_t position) {
    consumer_->store(position, std::memory_order_release);
}

} // namespace nightjar
