// Reads DNS messages in hexadecimal, one a line, and prints what the addon makes of each as a line of JSON.
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "../addon/dns.h"

namespace {

std::vector<uint8_t> bytes_of(const std::string &line) {
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i + 1 < line.size(); i += 2)
        bytes.push_back(static_cast<uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
    return bytes;
}

// Names are printable; only backslashes must be doubled.
std::string quoted(const std::string &text) {
    std::string to = "\"";
    for (const char character : text) {
        if (character == '\\' || character == '"') to.push_back('\\');
        to.push_back(character);
    }
    return to + "\"";
}

} // namespace

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        const std::vector<uint8_t> bytes = bytes_of(line);
        const nightjar::DnsMessage message = nightjar::parse_dns(bytes.data(), bytes.size());
        std::printf("{\"malformed\":%s,\"id\":%u,\"response\":%s,\"rcode\":%u,\"name\":%s,\"type\":%u,\"answers\":[",
                    message.malformed ? "true" : "false", message.id, message.is_response ? "true" : "false",
                    message.response_code, quoted(message.question_name).c_str(), message.question_type);
        const char *comma = "";
        for (const nightjar::DnsAnswer &answer : message.answers) {
            std::printf("%s{\"name\":%s,\"type\":%u,\"ttl\":%u,\"text\":%s}", comma, quoted(answer.name).c_str(),
                        answer.type, answer.time_to_live_s, quoted(nightjar::dns_answer_text(answer)).c_str());
            comma = ",";
        }
        std::puts("]}");
    }
    return 0;
}
