// Reads a DNS message (RFC 1035). Its bytes come from the network: nothing in them is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nightjar {

// Records of the answer section that are read.
constexpr size_t kDnsAnswersMax = 64;

struct DnsAnswer {
    std::string name;
    uint16_t type;
    uint16_t record_class;
    uint32_t time_to_live_s;
    // Of A and AAAA.
    std::string address;
    // Of CNAME, PTR, NS, MX and SRV.
    std::string target;
};

struct DnsMessage {
    uint16_t id;
    bool is_response;
    uint8_t operation;
    bool truncated;
    uint8_t response_code;
    uint16_t question_count;
    uint16_t answer_count;
    std::string question_name;
    uint16_t question_type;
    uint16_t question_class;
    std::vector<DnsAnswer> answers;
    // It ends before it should, or a name in it does not end. What came before is here.
    bool malformed;
};

// Reads what a datagram holds.
DnsMessage parse_dns(const uint8_t *bytes, size_t size);

// The same of what passed through a TCP connection in one call: two bytes that say the length come first, unless the
// caller had read or written those before.
DnsMessage parse_dns_stream(const uint8_t *bytes, size_t size);

// An A's or AAAA's address, or the name it points to, as text; empty for other types.
std::string dns_answer_text(const DnsAnswer &answer);

} // namespace nightjar
