// Fuzzes the reader of DNS messages, whose bytes come from the network. The first bit of an input says whether it came
// through TCP.
#include <cstdlib>
#include <vector>

#include "../addon/dns.h"

namespace {

// A name of 255 bytes, each of them escaped.
constexpr size_t kNameTextMax = 255 * 4;

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size == 0) return 0;
    // Exactly as long as the message, so that reading behind it is noticed.
    const std::vector<uint8_t> bytes(input + 1, input + size);
    const nightjar::DnsMessage message = input[0] & 1 ? nightjar::parse_dns_stream(bytes.data(), bytes.size())
                                                      : nightjar::parse_dns(bytes.data(), bytes.size());
    require(message.answers.size() <= nightjar::kDnsAnswersMax && message.answers.size() <= message.answer_count);
    require(message.question_name.size() <= kNameTextMax);
    for (const nightjar::DnsAnswer &answer : message.answers) {
        require(!answer.name.empty() && answer.name.size() <= kNameTextMax && answer.target.size() <= kNameTextMax);
        require(answer.address.empty() || answer.address.size() == 4 || answer.address.size() == 16);
        require(nightjar::dns_answer_text(answer).size() <= kNameTextMax);
    }
    return 0;
}
