// What JavaScript sees: the class Probe, which loads, attaches and reads. Policy and checks are on the other side.
#include <napi.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <vector>

#include "object.h"
#include "offers.h"
#include "pins.h"
#include "reader.h"

namespace nightjar {
namespace {

uint64_t to_uint64(const Napi::Value &value) {
    bool lossless = false;
    return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

std::vector<uint32_t> to_numbers(const Napi::Value &value) {
    const Napi::Array array = value.As<Napi::Array>();
    std::vector<uint32_t> numbers;
    for (uint32_t i = 0; i < array.Length(); i++) numbers.push_back(array.Get(i).As<Napi::Number>().Uint32Value());
    return numbers;
}

Napi::Value from_uint64(Napi::Env env, uint64_t value) {
    return Napi::BigInt::New(env, value);
}

void read_boot_id(uint8_t *boot_id) {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string text;
    std::getline(file, text);
    std::string digits;
    for (const char digit : text)
        if (digit != '-') digits.push_back(digit);
    for (size_t i = 0; i < kBootIdBytes && 2 * i + 1 < digits.size(); i++)
        boot_id[i] = static_cast<uint8_t>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
}

Napi::Error to_error(Napi::Env env, const LoadError &refused) {
    const std::string what = std::string(refused.what()) + ": " + std::strerror(refused.error);
    Napi::Error error = Napi::Error::New(env, what);
    error.Set("errno", Napi::Number::New(env, refused.error));
    error.Set("cause", refused.cause);
    return error;
}

// What the reader's thread hands over: a batch, or, last of all, its end. One queue for both keeps their order.
struct Delivery {
    std::optional<Batch> batch;
    ReaderEnd end;
};

// The reader's buffers as JavaScript sees them, by their number: each is told to the engine once.
using BufferViews = std::vector<Napi::Reference<Napi::ArrayBuffer>>;

Napi::ArrayBuffer view_of(Napi::Env env, BufferViews &views, const std::shared_ptr<BatchBuffer> &buffer) {
    const size_t number = buffer->number();
    if (number < views.size() && !views[number].IsEmpty()) return views[number].Value();
    if (number >= views.size()) views.resize(number + 1);
    // Whoever holds on to the view keeps the memory, though not what is in it.
    using Holder = std::shared_ptr<BatchBuffer>;
    auto view = Napi::ArrayBuffer::New(
        env, buffer->memory(), buffer->memory_size(), [](Napi::BasicEnv, void *, Holder *holder) { delete holder; },
        new Holder(buffer));
    views[number] = Napi::Persistent(view);
    return view;
}

// Calls JavaScript with (bytes, first position, next position, events), at the end with (null, failure, unread bytes,
// unknown records).
void deliver(Napi::Env env, Napi::Function callback, BufferViews *views, Delivery *raw) {
    const std::unique_ptr<Delivery> delivery(raw);
    if (env == nullptr) return;
    if (!delivery->batch) {
        const ReaderEnd &end = delivery->end;
        const auto unread = Napi::Number::New(env, static_cast<double>(end.unread_bytes));
        const auto unknown = Napi::Number::New(env, static_cast<double>(end.unknown_records));
        callback.Call({env.Null(), Napi::String::New(env, end.failure), unread, unknown});
        return;
    }
    const Batch &batch = *delivery->batch;
    const BatchBuffer &buffer = *batch.buffer;
    const auto bytes = Napi::Uint8Array::New(env, buffer.size(), view_of(env, *views, batch.buffer), buffer.begin());
    callback.Call({bytes, from_uint64(env, batch.first_position), from_uint64(env, batch.next_position),
                   Napi::Number::New(env, batch.events_count)});
}

using Deliveries = Napi::TypedThreadSafeFunction<BufferViews, Delivery, deliver>;

void hand_over(const Deliveries &deliveries, std::unique_ptr<Delivery> delivery) {
    if (deliveries.NonBlockingCall(delivery.get()) == napi_ok) delivery.release();
}

class Probe : public Napi::ObjectWrap<Probe> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit Probe(const Napi::CallbackInfo &info);

  private:
    void open(const std::string &mode, const std::string &object, const std::string &folder, uint32_t ring_bytes,
              CallsSeenAt place, const Napi::Value &types);
    Maps *maps() { return object_ ? &object_->maps() : other_ ? &other_->maps() : nullptr; }
    Napi::Value attach(const Napi::CallbackInfo &info);
    void pin(const Napi::CallbackInfo &info);
    void set_active(const Napi::CallbackInfo &info);
    Napi::Value switch_off(const Napi::CallbackInfo &info);
    Napi::Value own_processes(const Napi::CallbackInfo &info);
    void start(const Napi::CallbackInfo &info);
    Napi::Value release(const Napi::CallbackInfo &info);
    Napi::Value ledger(const Napi::CallbackInfo &info);
    Napi::Value epoch(const Napi::CallbackInfo &info) { return from_uint64(info.Env(), options_.epoch); }
    Napi::Value boot_id(const Napi::CallbackInfo &info);
    Napi::Value ring_bytes(const Napi::CallbackInfo &info);
    Napi::Value ring_used(const Napi::CallbackInfo &info);
    Napi::Value ring_written(const Napi::CallbackInfo &info);
    Napi::Value add_own_process(const Napi::CallbackInfo &info);
    Napi::Value remove_own_process(const Napi::CallbackInfo &info);
    void set_wanted(const Napi::CallbackInfo &info);
    Napi::Value set_filters(const Napi::CallbackInfo &info);
    void set_environment_wanted(const Napi::CallbackInfo &info);
    void set_message_interest(const Napi::CallbackInfo &info);
    void set_fold_window(const Napi::CallbackInfo &info);
    void set_governed(const Napi::CallbackInfo &info);
    void set_dns_ports(const Napi::CallbackInfo &info);
    void stop(const Napi::CallbackInfo &info);
    void leave(const Napi::CallbackInfo &info);
    void close(const Napi::CallbackInfo &info);

    ReaderOptions options_{};
    // One of the two: what this version loaded, or what another left.
    std::unique_ptr<Object> object_;
    std::unique_ptr<OtherVersion> other_;
    std::unique_ptr<Reader> reader_;
};

Napi::Function Probe::define(Napi::Env env) {
    return DefineClass(env, "Probe",
                       {
                           InstanceMethod<&Probe::attach>("attach"),
                           InstanceMethod<&Probe::pin>("pin"),
                           InstanceMethod<&Probe::set_active>("setActive"),
                           InstanceMethod<&Probe::switch_off>("switchOff"),
                           InstanceMethod<&Probe::own_processes>("ownProcesses"),
                           InstanceMethod<&Probe::start>("start"),
                           InstanceMethod<&Probe::release>("release"),
                           InstanceMethod<&Probe::ledger>("ledger"),
                           InstanceMethod<&Probe::epoch>("epoch"),
                           InstanceMethod<&Probe::boot_id>("bootId"),
                           InstanceMethod<&Probe::ring_bytes>("ringBytes"),
                           InstanceMethod<&Probe::ring_used>("ringUsed"),
                           InstanceMethod<&Probe::ring_written>("ringWritten"),
                           InstanceMethod<&Probe::add_own_process>("addOwnProcess"),
                           InstanceMethod<&Probe::remove_own_process>("removeOwnProcess"),
                           InstanceMethod<&Probe::set_wanted>("setWanted"),
                           InstanceMethod<&Probe::set_filters>("setFilters"),
                           InstanceMethod<&Probe::set_environment_wanted>("setEnvironmentWanted"),
                           InstanceMethod<&Probe::set_message_interest>("setMessageInterest"),
                           InstanceMethod<&Probe::set_fold_window>("setFoldWindow"),
                           InstanceMethod<&Probe::set_governed>("setGoverned"),
                           InstanceMethod<&Probe::set_dns_ports>("setDnsPorts"),
                           InstanceMethod<&Probe::stop>("stop"),
                           InstanceMethod<&Probe::leave>("leave"),
                           InstanceMethod<&Probe::close>("close"),
                       });
}

// ({mode, object, callsSeenAt, folder, epoch, ringBytes, flushDelayMs, batchesInFlightMax, readerGoneAfterS, types}):
// mode is "load" ("load leniently") or, for what is pinned in `folder`, "take over" (loaded from the same object) or
// "retire" (from another).
Probe::Probe(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Probe>(info) {
    const Napi::Env env = info.Env();
    const Napi::Object options = info[0].As<Napi::Object>();
    const auto number = [&](const char *name) { return options.Get(name).As<Napi::Number>().Uint32Value(); };
    const auto text = [&](const char *name) { return options.Get(name).As<Napi::String>().Utf8Value(); };
    options_.flush_delay = std::chrono::milliseconds(number("flushDelayMs"));
    options_.batches_in_flight_max = number("batchesInFlightMax");
    options_.epoch = to_uint64(options.Get("epoch"));
    read_boot_id(options_.boot_id);
    try {
        const auto place = text("callsSeenAt") == "functions" ? CallsSeenAt::Functions : CallsSeenAt::Tracepoint;
        open(text("mode"), text("object"), text("folder"), number("ringBytes"), place, options.Get("types"));
        if (object_) maps()->set_reader_gone_after(std::chrono::seconds(number("readerGoneAfterS")));
    } catch (const LoadError &refused) {
        throw to_error(env, refused);
    } catch (const LayoutError &mismatch) {
        throw Napi::Error::New(env, std::string("failed loading ebpf skeleton: ") + mismatch.what());
    }
}

void Probe::open(const std::string &mode, const std::string &object, const std::string &folder, uint32_t ring_bytes,
                 CallsSeenAt place, const Napi::Value &types) {
    if (mode == "retire") {
        other_ = std::make_unique<OtherVersion>(folder);
        options_.is_retired = true;
        return;
    }
    // A test plays another version with programs whose records are none of this version's.
    const auto strictness = mode == "load leniently" ? Strictness::PassOverUnknown : Strictness::Strict;
    object_ = std::make_unique<Object>(object, strictness);
    if (mode == "take over") return object_->take_over(folder);
    if (types.IsArray()) object_->load_only(to_numbers(types));
    object_->load(ring_bytes, place);
}

Napi::Value Probe::attach(const Napi::CallbackInfo &info) {
    const Napi::Env env = info.Env();
    Napi::Array rows = Napi::Array::New(env);
    for (const Attachment &attachment : object_->attach()) {
        Napi::Object row = Napi::Object::New(env);
        row.Set("program", attachment.program);
        row.Set("point", attachment.point);
        row.Set("errno", attachment.error);
        rows[rows.Length()] = row;
    }
    return rows;
}

// (folder)
void Probe::pin(const Napi::CallbackInfo &info) {
    try {
        object_->pin(info[0].As<Napi::String>().Utf8Value());
    } catch (const LoadError &refused) {
        throw to_error(info.Env(), refused);
    }
}

// (whether the programs record)
void Probe::set_active(const Napi::CallbackInfo &info) {
    maps()->beat();
    maps()->set_active(info[0].As<Napi::Boolean>().Value());
}

Napi::Value Probe::switch_off(const Napi::CallbackInfo &info) {
    return Napi::Boolean::New(info.Env(), other_ && other_->switch_off());
}

// [[pid, start ticks], …]
Napi::Value Probe::own_processes(const Napi::CallbackInfo &info) {
    const Napi::Env env = info.Env();
    Napi::Array rows = Napi::Array::New(env);
    for (const auto &[pid, start_ticks] : maps()->own_processes()) {
        Napi::Array row = Napi::Array::New(env, 2);
        row[0U] = Napi::Number::New(env, pid);
        row[1U] = from_uint64(env, start_ticks);
        rows[rows.Length()] = row;
    }
    return rows;
}

// (the function that deliver() calls)
void Probe::start(const Napi::CallbackInfo &info) {
    const Napi::Env env = info.Env();
    // No limit of its own: the reader stops at batches_in_flight_max.
    auto deliveries = Deliveries::New(
        env, info[0].As<Napi::Function>(), "nightjar", 0, 1, new BufferViews(),
        [](Napi::Env, void *, BufferViews *views) { delete views; }, static_cast<void *>(nullptr));
    try {
        reader_ = std::make_unique<Reader>(
            *maps(), object_ ? object_->layouts() : other_->layouts(), options_,
            [deliveries](const Batch &batch) {
                hand_over(deliveries, std::make_unique<Delivery>(Delivery{batch, {}}));
            },
            [deliveries](ReaderEnd end) mutable {
                hand_over(deliveries, std::make_unique<Delivery>(Delivery{{}, std::move(end)}));
                deliveries.Release();
            });
    } catch (const LoadError &refused) {
        deliveries.Abort();
        throw to_error(env, refused);
    }
}

Napi::Value Probe::release(const Napi::CallbackInfo &info) {
    const bool known = !reader_ || reader_->release(to_uint64(info[0]));
    return Napi::Boolean::New(info.Env(), known);
}

Napi::Value Probe::ledger(const Napi::CallbackInfo &info) {
    const Napi::Env env = info.Env();
    Napi::Array rows = Napi::Array::New(env);
    if (!maps()) return rows;
    for (const LedgerRow &entry : maps()->ledger()) {
        Napi::Object row = Napi::Object::New(env);
        Napi::Array drops = Napi::Array::New(env);
        for (uint32_t reason = 0; reason < DROP_REASONS; reason++)
            drops[reason] = from_uint64(env, entry.counts.dropped[reason]);
        row.Set("type", entry.type);
        row.Set("seen", from_uint64(env, entry.counts.seen));
        row.Set("filtered", from_uint64(env, entry.counts.filtered));
        row.Set("governed", from_uint64(env, entry.counts.governed));
        row.Set("folded", from_uint64(env, entry.counts.folded));
        row.Set("submitted", from_uint64(env, entry.counts.submitted));
        row.Set("drops", drops);
        rows[rows.Length()] = row;
    }
    return rows;
}

Napi::Value Probe::boot_id(const Napi::CallbackInfo &info) {
    return Napi::Buffer<uint8_t>::Copy(info.Env(), options_.boot_id, kBootIdBytes);
}

Napi::Value Probe::ring_used(const Napi::CallbackInfo &info) {
    return Napi::Number::New(info.Env(), reader_ ? static_cast<double>(reader_->used_bytes()) : 0);
}

Napi::Value Probe::ring_written(const Napi::CallbackInfo &info) {
    return Napi::Number::New(info.Env(), reader_ ? static_cast<double>(reader_->written_bytes()) : 0);
}

Napi::Value Probe::ring_bytes(const Napi::CallbackInfo &info) {
    return Napi::Number::New(info.Env(), maps() ? static_cast<double>(maps()->ring_bytes()) : 0);
}

Napi::Value Probe::add_own_process(const Napi::CallbackInfo &info) {
    const uint32_t pid = info[0].As<Napi::Number>().Uint32Value();
    const int error = maps() ? maps()->add_own_process(pid, to_uint64(info[1])) : 0;
    return Napi::Number::New(info.Env(), error);
}

Napi::Value Probe::remove_own_process(const Napi::CallbackInfo &info) {
    const uint32_t pid = info[0].As<Napi::Number>().Uint32Value();
    return Napi::Number::New(info.Env(), maps() ? maps()->remove_own_process(pid) : 0);
}

void Probe::set_wanted(const Napi::CallbackInfo &info) {
    if (maps()) maps()->set_wanted(to_numbers(info[0]));
}

// (rows of filters, the screen, rows of keys, rows of paths): 0 or an errno
Napi::Value Probe::set_filters(const Napi::CallbackInfo &info) {
    Napi::Uint8Array tables[4];
    for (size_t i = 0; i < 4; i++) tables[i] = info[i].As<Napi::Uint8Array>();
    const FilterTables rows = {tables[0].Data(), tables[0].ByteLength(), tables[1].Data(), tables[1].ByteLength(),
                               tables[2].Data(), tables[2].ByteLength(), tables[3].Data(), tables[3].ByteLength()};
    return Napi::Number::New(info.Env(), maps() ? maps()->set_filters(rows) : 0);
}

void Probe::set_environment_wanted(const Napi::CallbackInfo &info) {
    if (maps()) maps()->set_environment_wanted(info[0].As<Napi::Boolean>().Value());
}

// (bits, bytes of data)
void Probe::set_message_interest(const Napi::CallbackInfo &info) {
    const uint32_t data_bytes = info[1].As<Napi::Number>().Uint32Value();
    if (maps()) maps()->set_message_interest(info[0].As<Napi::Number>().Uint32Value(), data_bytes);
}

// (seconds)
void Probe::set_fold_window(const Napi::CallbackInfo &info) {
    if (maps()) maps()->set_fold_window(info[0].As<Napi::Number>().Uint32Value());
}

// (a byte an event type, by its id)
void Probe::set_governed(const Napi::CallbackInfo &info) {
    const Napi::Uint8Array given = info[0].As<Napi::Uint8Array>();
    if (maps()) maps()->set_governed({given.Data(), given.Data() + given.ByteLength()});
}

void Probe::set_dns_ports(const Napi::CallbackInfo &info) {
    const Napi::Array given = info[0].As<Napi::Array>();
    std::vector<uint16_t> ports;
    for (uint32_t i = 0; i < given.Length(); i++)
        ports.push_back(static_cast<uint16_t>(given.Get(i).As<Napi::Number>().Uint32Value()));
    if (maps()) maps()->set_dns_ports(ports);
}

// (limit in ms)
void Probe::stop(const Napi::CallbackInfo &info) {
    if (object_) object_->detach();
    if (reader_) reader_->stop(std::chrono::milliseconds(info[0].As<Napi::Number>().Uint32Value()));
}

// (limit in ms)
void Probe::leave(const Napi::CallbackInfo &info) {
    if (reader_) reader_->leave(std::chrono::milliseconds(info[0].As<Napi::Number>().Uint32Value()));
}

void Probe::close(const Napi::CallbackInfo &) {
    reader_.reset();
    object_.reset();
    other_.reset();
}

// What the kernel offers: [{name, errno}].
Napi::Value ask_kernel_for_js(const Napi::CallbackInfo &info) {
    const std::vector<Offer> offers = ask_kernel();
    Napi::Array answer = Napi::Array::New(info.Env(), offers.size());
    for (size_t i = 0; i < offers.size(); i++) {
        Napi::Object row = Napi::Object::New(info.Env());
        row.Set("name", offers[i].name);
        row.Set("errno", offers[i].error);
        answer.Set(static_cast<uint32_t>(i), row);
    }
    return answer;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
    exports.Set("Probe", Probe::define(env));
    exports.Set("askKernel", Napi::Function::New(env, ask_kernel_for_js, "askKernel"));
    return exports;
}

} // namespace
} // namespace nightjar

static Napi::Object init_module(Napi::Env env, Napi::Object exports) {
    return nightjar::init(env, exports);
}

NODE_API_MODULE(nightjar_probe, init_module)
