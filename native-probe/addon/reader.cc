// Drains the ring at its own pace: a tick, not a call an event.
#include "reader.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nightjar {
namespace {

constexpr uint32_t kBatchEventsMax = 256;
// After this many ticks without an event the reader sleeps, and the programs wake it for the next one.
constexpr int kIdleTicksMax = 3;
// A wake-up can be missed by an event that is recorded while the reader is falling asleep; then it waits this long.
constexpr std::chrono::milliseconds kSleepMax(250);
// The counters of all event types travel with a batch at most this often.
constexpr std::chrono::milliseconds kLedgerInterval(100);
constexpr uint64_t kNsPerS = 1000000000;

uint64_t clock_ns(clockid_t clock) {
    timespec now;
    clock_gettime(clock, &now);
    return static_cast<uint64_t>(now.tv_sec) * kNsPerS + static_cast<uint64_t>(now.tv_nsec);
}

} // namespace

Reader::Reader(Maps &maps, const Layouts &layouts, const ReaderOptions &options, OnBatch on_batch, OnEnd on_end)
    : maps_(maps), options_(options), on_batch_(std::move(on_batch)), on_end_(std::move(on_end)), encoder_(layouts) {
    const int error = ring_.map(maps.ring_fd(), maps.ring_bytes());
    if (error) throw LoadError("failed loading ebpf skeleton", error, "the ring buffer could not be mapped");
    begin_batch(ring_.position());
    wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    // Edge-triggered: the kernel calls the ring readable for as long as anything in it is not released.
    epoll_event on_ring{};
    on_ring.events = EPOLLIN | EPOLLET;
    on_ring.data.fd = maps.ring_fd();
    epoll_event on_wake{};
    on_wake.events = EPOLLIN;
    on_wake.data.fd = wake_fd_;
    if (wake_fd_ < 0 || epoll_fd_ < 0 || epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, maps.ring_fd(), &on_ring) ||
        epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &on_wake))
        throw LoadError("failed loading ebpf skeleton", errno, "the ring buffer could not be polled");
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "probe-reader");
}

Reader::~Reader() {
    stop(std::chrono::milliseconds(0));
    thread_.join();
    close(epoll_fd_);
    close(wake_fd_);
}

bool Reader::release(uint64_t position) {
    bool was_full;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        was_full = in_flight_.size() >= options_.batches_in_flight_max;
        const auto last = std::find_if(in_flight_.begin(), in_flight_.end(),
                                       [position](const Batch &batch) { return batch.next_position >= position; });
        // Released before, or no batch's end.
        if (last == in_flight_.end() || last->next_position != position) return position <= ring_.released();
        const auto behind = last + 1;
        for (auto batch = in_flight_.begin(); batch != behind; ++batch)
            free_buffers_.push_back(std::move(batch->buffer));
        in_flight_.erase(in_flight_.begin(), behind);
        ring_.release(position);
    }
    if (was_full) wake();
    return true;
}

void Reader::stop_at(uint64_t position, std::chrono::milliseconds limit) {
    const auto deadline =
        std::chrono::duration_cast<std::chrono::milliseconds>((Clock::now() + limit).time_since_epoch());
    stop_deadline_ms_.store(deadline.count());
    stop_position_.store(position);
    is_stopping_.store(true);
    wake();
}

size_t Reader::in_flight() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return in_flight_.size();
}

void Reader::begin_batch(uint64_t first_position) {
    batch_.first_position = batch_.next_position = first_position;
    batch_.events_count = 0;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!free_buffers_.empty()) {
            batch_.buffer = std::move(free_buffers_.back());
            free_buffers_.pop_back();
        }
    }
    if (!batch_.buffer) batch_.buffer = std::make_shared<BatchBuffer>(buffers_count_++, kEventBytesMax);
    batch_.buffer->clear();
}

void Reader::wake() const {
    const uint64_t one = 1;
    // It can only fail when it is already set.
    if (write(wake_fd_, &one, sizeof(one)) < 0) return;
}

void Reader::run() {
    maps_.set_reader_sleeps(false);
    // A program that began before the detaching may still write: one more tick, then what is in the ring is all.
    int ticks_after_stop = 0;
    while (failure_.empty()) {
        maps_.beat();
        wait();
        drain();
        if (batch_.events_count > 0 && (tick_is_over_ || Clock::now() >= flush_at_)) flush();
        if (!is_stopping_.load()) continue;
        const std::chrono::milliseconds deadline(stop_deadline_ms_.load());
        const bool is_late = Clock::now().time_since_epoch() >= deadline;
        if (is_late || (ticks_after_stop++ > 0 && is_at_end())) break;
    }
    if (options_.is_retired && failure_.empty()) {
        ledger_read_ = {};
        flush();
    }
    on_end_({failure_, ring_.written() - batch_.first_position, unknown_records_});
}

bool Reader::is_at_end() {
    if (ring_.position() < std::min(ring_.written(), stop_position_.load())) return false;
    // Where the programs go on, something is always under way.
    if (batch_.events_count > 0) flush();
    return true;
}

// Until the ring has much in it, something is released or stopped, or a tick is over; with nothing to do, longer.
void Reader::wait() {
    epoll_event events[2];
    bool sleeps = idle_ticks_ > kIdleTicksMax && batch_.events_count == 0 && !is_stopping_.load();
    if (sleeps) {
        maps_.set_reader_sleeps(true);
        // What came before the programs knew would wake nobody.
        sleeps = ring_.position() >= ring_.written();
    }
    const int ready = epoll_wait(epoll_fd_, events, 2, sleeps ? kSleepMax.count() : tick_ms());
    // What wakes a sleeping reader has come alone, and need not wait for others.
    tick_is_over_ = ready == 0 || sleeps;
    if (idle_ticks_ > kIdleTicksMax) maps_.set_reader_sleeps(false);
    for (int i = 0; i < ready; i++) {
        uint64_t count;
        if (events[i].data.fd == wake_fd_ && read(wake_fd_, &count, sizeof(count)) < 0) return;
    }
    has_room_ = in_flight() < options_.batches_in_flight_max;
}

// Until the events that wait have waited long enough, at most the delay.
int Reader::tick_ms() const {
    if (batch_.events_count == 0) return static_cast<int>(options_.flush_delay.count());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(flush_at_ - Clock::now());
    return std::max(0, static_cast<int>(left.count()));
}

void Reader::drain() {
    Ring::Record record;
    const uint64_t begun_at = ring_.position();
    // A flush may use up what may be in flight, nothing else does.
    while (has_room_ && failure_.empty() && ring_.next(record)) {
        if (record.data && !read_record(record))
            failure_ = "malformed record at position " + std::to_string(record.position);
        batch_.next_position = ring_.position();
        if (batch_.events_count >= kBatchEventsMax) flush();
    }
    idle_ticks_ = ring_.position() == begun_at ? idle_ticks_ + 1 : 0;
}

bool Reader::read_record(const Ring::Record &record) {
    if (options_.is_retired && !encoder_.knows(record.data, record.size)) {
        unknown_records_++;
        return true;
    }
    if (!encoder_.encode(record.data, record.size, record.position)) return false;
    if (batch_.events_count > 0 && batch_.buffer->events_size() + encoder_.size() > kBatchBytesMax) flush();
    if (batch_.events_count == 0) flush_at_ = Clock::now() + options_.flush_delay;
    append_event(*batch_.buffer, encoder_.data(), encoder_.size());
    batch_.events_count++;
    return true;
}

const std::vector<LedgerRow> *Reader::ledger_if_due() {
    const Clock::time_point now = Clock::now();
    if (now - ledger_read_ < kLedgerInterval) return nullptr;
    ledger_read_ = now;
    ledger_ = maps_.ledger();
    return &ledger_;
}

void Reader::flush() {
    BatchHead head{};
    head.boot_id = options_.boot_id;
    head.epoch = options_.epoch;
    head.first_position = batch_.first_position;
    head.next_position = batch_.next_position;
    head.boot_time_unix_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
    head.ledger = ledger_if_due();
    batch_.buffer->set_head(encode_batch_head(head));
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        in_flight_.push_back(batch_);
        has_room_ = in_flight_.size() < options_.batches_in_flight_max;
    }
    on_batch_(batch_);
    batch_.buffer.reset();
    begin_batch(batch_.next_position);
}

} // namespace nightjar
