// Makes the fields of the message Dns of a DNS message's bytes.
#include "dns_fields.h"

#include <cstddef>
#include <cstring>
#include <stdexcept>

#include "encoder.h"

namespace nightjar {
namespace {

constexpr uint32_t kWireVarint = 0, kWireBytes = 2;

// struct dns_message of bpf/dns.bpf.c.
struct DnsMember {
    uint32_t offset;
    uint32_t length;
    uint8_t is_stream;
};

// The number of a field; a bug where there is none.
uint32_t number_of(const char *message, const char *field) {
    for (size_t i = 0; i < messages().size; i++) {
        const MessageSpec &spec = messages()[i];
        if (std::strcmp(spec.name, message) != 0) continue;
        for (size_t j = 0; j < spec.count; j++)
            if (std::strcmp(spec.fields[j].name, field) == 0) return spec.fields[j].number;
    }
    throw std::logic_error(std::string("no field ") + message + "." + field);
}

uint32_t dns_number(const char *field) {
    return number_of("Dns", field);
}

// Looked for once: a message of this kind comes thousands of times.
struct DnsNumbers {
    uint32_t is_response = dns_number("is_response"), id = dns_number("id"), operation = dns_number("operation");
    uint32_t response_code = dns_number("response_code"), question_name = dns_number("question_name");
    uint32_t question_type = dns_number("question_type"), question_class = dns_number("question_class");
    uint32_t answers = dns_number("answers"), results = dns_number("results");
    uint32_t question_count = dns_number("question_count"), answer_count = dns_number("answer_count");
    uint32_t truncated = dns_number("truncated"), malformed = dns_number("malformed");
    uint32_t size_read = dns_number("size_read");
    uint32_t name = number_of("DnsAnswer", "name"), type = number_of("DnsAnswer", "type");
    uint32_t record_class = number_of("DnsAnswer", "class");
    uint32_t time_to_live_s = number_of("DnsAnswer", "time_to_live_s");
    uint32_t address = number_of("DnsAnswer", "address"), target = number_of("DnsAnswer", "target");
};

const DnsNumbers &numbers() {
    static const DnsNumbers found;
    return found;
}

} // namespace

bool is_dns_field(const char *name) {
    static constexpr const char *kNames[] = {
        "is_response", "id",      "operation",      "response_code", "question_name", "question_type", "question_class",
        "answers",     "results", "question_count", "answer_count",  "truncated",     "malformed",     "size_read"};
    for (const char *each : kNames)
        if (std::strcmp(each, name) == 0) return true;
    return false;
}

void Encoder::number_field(uint32_t number, uint64_t value) {
    if (value == 0) return;
    varint(value);
    varint(number << 3 | kWireVarint);
}

void Encoder::bytes_field(uint32_t number, const std::string &value) {
    raw(value.data(), value.size());
    varint(value.size());
    varint(number << 3 | kWireBytes);
}

void Encoder::dns_answer(const DnsAnswer &answer) {
    const uint8_t *end = at_;
    if (!answer.target.empty()) bytes_field(numbers().target, answer.target);
    if (!answer.address.empty()) bytes_field(numbers().address, answer.address);
    number_field(numbers().time_to_live_s, answer.time_to_live_s);
    number_field(numbers().record_class, answer.record_class);
    number_field(numbers().type, answer.type);
    bytes_field(numbers().name, answer.name);
    varint(static_cast<size_t>(end - at_));
    varint(numbers().answers << 3 | kWireBytes);
}

void Encoder::dns(const uint8_t *at) {
    DnsMember member;
    std::memcpy(&member, at, sizeof(member));
    const uint8_t *from = tail(member.offset, member.length);
    if (!from) return;
    const DnsMessage message =
        member.is_stream ? parse_dns_stream(from, member.length) : parse_dns(from, member.length);
    number_field(numbers().size_read, member.length);
    number_field(numbers().malformed, message.malformed);
    number_field(numbers().truncated, message.truncated);
    number_field(numbers().answer_count, message.answer_count);
    number_field(numbers().question_count, message.question_count);
    for (size_t i = message.answers.size(); i-- > 0;) {
        const std::string text = dns_answer_text(message.answers[i]);
        if (!text.empty()) bytes_field(numbers().results, text);
    }
    for (size_t i = message.answers.size(); i-- > 0;) dns_answer(message.answers[i]);
    number_field(numbers().question_class, message.question_class);
    number_field(numbers().question_type, message.question_type);
    if (!message.question_name.empty()) bytes_field(numbers().question_name, message.question_name);
    number_field(numbers().response_code, message.response_code);
    number_field(numbers().operation, message.operation);
    number_field(numbers().id, message.id);
    number_field(numbers().is_response, message.is_response);
}

} // namespace nightjar
