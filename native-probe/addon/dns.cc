// Reads a DNS message through a cursor that cannot leave it.
#include "dns.h"

#include <arpa/inet.h>

#include <cctype>
#include <cstdio>

namespace nightjar {
namespace {

enum DnsType : uint16_t { kA = 1, kNs = 2, kCname = 5, kPtr = 12, kMx = 15, kAaaa = 28, kSrv = 33 };

constexpr size_t kHeadBytes = 12;
// A name has at most 255 bytes on the wire (RFC 1035, 3.1), and so at most so many labels.
constexpr size_t kNameBytesMax = 255;
constexpr uint8_t kPointerBits = 0xc0;
constexpr uint8_t kLabelBytesMax = 63;

// Reads forward; once something was not there, everything is empty and `failed` stays.
class Cursor {
  public:
    Cursor(const uint8_t *bytes, size_t size) : bytes_(bytes), size_(size) {}
    uint8_t byte() { return take(1) ? bytes_[at_ - 1] : 0; }
    uint16_t number() {
        const uint16_t high = byte();
        return static_cast<uint16_t>(high << 8 | byte());
    }
    uint32_t long_number() {
        const uint32_t high = number();
        return high << 16 | number();
    }
    std::string text(size_t size) {
        return take(size) ? std::string(reinterpret_cast<const char *>(bytes_ + at_ - size), size) : std::string();
    }
    // A name as text; one that goes on elsewhere is followed, and the cursor stands behind what is here.
    std::string name();
    void move(size_t to) {
        if (to > size_) failed_ = true;
        if (!failed_) at_ = to;
    }
    size_t place() const { return at_; }
    bool failed() const { return failed_; }

  private:
    bool take(size_t size) {
        if (failed_ || size > size_ - at_) failed_ = true;
        if (!failed_) at_ += size;
        return !failed_;
    }

    const uint8_t *bytes_;
    size_t size_;
    size_t at_ = 0;
    bool failed_ = false;
};

// A label's byte as people write it; what could be mistaken for something else as \DDD (RFC 1035, 5.1).
void append_character(std::string &to, uint8_t byte) {
    if (byte > ' ' && byte < 0x7f && byte != '.' && byte != '\\') {
        to.push_back(static_cast<char>(std::tolower(byte)));
        return;
    }
    char escaped[5];
    std::snprintf(escaped, sizeof(escaped), "\\%03u", byte);
    to.append(escaped);
}

std::string Cursor::name() {
    std::string text;
    size_t behind = 0;
    size_t limit = size_;
    size_t wire_bytes = 1;
    while (!failed_) {
        const size_t here = at_;
        const uint8_t length = byte();
        if (failed_ || length == 0) break;
        if ((length & kPointerBits) == kPointerBits) {
            const size_t target = static_cast<size_t>(length & ~kPointerBits) << 8 | byte();
            if (behind == 0) behind = at_;
            // Only ever backwards, so that it ends: "a prior occurrance of the same name" (RFC 1035, 4.1.4).
            if (target >= here || target >= limit) failed_ = true;
            limit = target;
            move(target);
            continue;
        }
        wire_bytes += length + 1U;
        if (length > kLabelBytesMax || wire_bytes > kNameBytesMax) failed_ = true;
        if (!text.empty()) text.push_back('.');
        for (const char character : this->text(length)) append_character(text, static_cast<uint8_t>(character));
    }
    if (behind) move(behind);
    return text.empty() && !failed_ ? "." : text;
}

DnsAnswer read_answer(Cursor &cursor) {
    DnsAnswer answer{};
    answer.name = cursor.name();
    answer.type = cursor.number();
    answer.record_class = cursor.number();
    answer.time_to_live_s = cursor.long_number();
    const size_t size = cursor.number();
    const size_t end = cursor.place() + size;
    switch (answer.type) {
    case kA:
        if (size == sizeof(in_addr)) answer.address = cursor.text(size);
        break;
    case kAaaa:
        if (size == sizeof(in6_addr)) answer.address = cursor.text(size);
        break;
    case kSrv:
        // Priority, weight and port.
        cursor.move(cursor.place() + 6);
        answer.target = cursor.name();
        break;
    case kMx:
        cursor.number();
        answer.target = cursor.name();
        break;
    case kNs:
    case kCname:
    case kPtr:
        answer.target = cursor.name();
        break;
    default:
        break;
    }
    cursor.move(end);
    return answer;
}

} // namespace

DnsMessage parse_dns(const uint8_t *bytes, size_t size) {
    Cursor cursor(bytes, size);
    DnsMessage message{};
    message.id = cursor.number();
    const uint16_t flags = cursor.number();
    message.is_response = flags >> 15;
    message.operation = flags >> 11 & 0xf;
    message.truncated = flags >> 9 & 1;
    message.response_code = flags & 0xf;
    message.question_count = cursor.number();
    message.answer_count = cursor.number();
    cursor.move(kHeadBytes);
    for (size_t i = 0; i < message.question_count && !cursor.failed(); i++) {
        const std::string name = cursor.name();
        const uint16_t type = cursor.number();
        const uint16_t question_class = cursor.number();
        if (i > 0 || cursor.failed()) continue;
        message.question_name = name;
        message.question_type = type;
        message.question_class = question_class;
    }
    for (size_t i = 0; i < message.answer_count && i < kDnsAnswersMax && !cursor.failed(); i++) {
        DnsAnswer answer = read_answer(cursor);
        if (!cursor.failed()) message.answers.push_back(std::move(answer));
    }
    message.malformed = cursor.failed();
    return message;
}

DnsMessage parse_dns_stream(const uint8_t *bytes, size_t size) {
    const size_t length = size >= 2 ? static_cast<size_t>(bytes[0] << 8 | bytes[1]) : 0;
    if (length + 2 == size) return parse_dns(bytes + 2, length);
    DnsMessage whole = parse_dns(bytes, size);
    // The beginning of a message that is longer than this, or several at once.
    if (whole.malformed && length >= kHeadBytes && size > kHeadBytes + 2)
        return parse_dns(bytes + 2, length < size - 2 ? length : size - 2);
    return whole;
}

std::string dns_answer_text(const DnsAnswer &answer) {
    char text[INET6_ADDRSTRLEN] = "";
    const int family = answer.address.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
    if (!answer.address.empty() && inet_ntop(family, answer.address.data(), text, sizeof(text))) return text;
    return answer.target;
}

} // namespace nightjar
