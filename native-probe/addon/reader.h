// The thread that drains the ring: encodes what it reads, batches it, and hands each batch on.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "batch_buffer.h"
#include "encoder.h"
#include "maps.h"
#include "ring.h"

namespace nightjar {

struct Batch {
    // Head and events; the reader's again when the batch is released.
    std::shared_ptr<BatchBuffer> buffer;
    uint64_t first_position;
    uint64_t next_position;
    uint32_t events_count;
};

struct ReaderOptions {
    // An event waits at most this long for others.
    std::chrono::milliseconds flush_delay;
    // Batches handed on and not yet released; at this many the ring is left to fill.
    size_t batches_in_flight_max;
    uint8_t boot_id[kBootIdBytes];
    uint64_t epoch;
    // The programs were of another version and are switched off: the ring is read to its end, then the counters go out
    // for the last time.
    bool is_retired;
};

struct ReaderEnd {
    // Empty, or why reading ended by itself: the programs and the addon do not agree.
    std::string failure;
    // What was left in the ring when the time to stop was over.
    uint64_t unread_bytes;
    // Records of another version whose type this one does not know.
    uint64_t unknown_records;
};

class Reader {
  public:
    using OnBatch = std::function<void(const Batch &)>;
    using OnEnd = std::function<void(ReaderEnd)>;

    // Maps the ring and starts the thread; both callbacks are called on it, on_end last. Throws LoadError.
    Reader(Maps &maps, const Layouts &layouts, const ReaderOptions &options, OnBatch on_batch, OnEnd on_end);
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;
    // Stops at once and waits for the thread.
    ~Reader();

    // Everything before `position` is safe elsewhere, and the buffers of the batches before it are used again. False
    // where no batch ends there.
    bool release(uint64_t position);
    // Drains what is in the ring for at most `limit`, then ends. The programs must be detached before.
    void stop(std::chrono::milliseconds limit) { stop_at(UINT64_MAX, limit); }
    // Ends when what is in the ring by now is handed on, at the latest after `limit`. The programs may go on.
    void leave(std::chrono::milliseconds limit) { stop_at(ring_.written(), limit); }
    // Bytes in the ring that are not released.
    uint64_t used_bytes() const { return ring_.written() - ring_.released(); }
    // Bytes that were ever written to the ring.
    uint64_t written_bytes() const { return ring_.written(); }

  private:
    using Clock = std::chrono::steady_clock;

    void run();
    void wait();
    int tick_ms() const;
    void drain();
    bool read_record(const Ring::Record &record);
    void flush();
    void stop_at(uint64_t position, std::chrono::milliseconds limit);
    bool is_at_end();
    size_t in_flight();
    void begin_batch(uint64_t first_position);
    void wake() const;
    const std::vector<LedgerRow> *ledger_if_due();

    Maps &maps_;
    const ReaderOptions options_;
    const OnBatch on_batch_;
    const OnEnd on_end_;
    Ring ring_;
    Encoder encoder_;
    int epoll_fd_ = -1;
    int wake_fd_ = -1;

    Batch batch_{};
    // When the batch goes out, however few events it has.
    Clock::time_point flush_at_;
    Clock::time_point ledger_read_;
    std::vector<LedgerRow> ledger_;
    std::string failure_;
    uint64_t unknown_records_ = 0;
    // Of the reader's thread alone: whether another batch may go out, and ticks since an event was read.
    bool has_room_ = true;
    int idle_ticks_ = 0;
    // The last wait was a whole one: what came meanwhile goes out.
    bool tick_is_over_ = false;

    std::mutex mutex_;
    // The oldest first.
    std::deque<Batch> in_flight_;
    // Buffers that nobody uses, the last used at the end.
    std::vector<std::shared_ptr<BatchBuffer>> free_buffers_;
    size_t buffers_count_ = 0;
    std::atomic<bool> is_stopping_{false};
    std::atomic<int64_t> stop_deadline_ms_{0};
    std::atomic<uint64_t> stop_position_{UINT64_MAX};
    std::thread thread_;
};

} // namespace nightjar
