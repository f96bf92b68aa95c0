// Which fields of the message Dns are made of the bytes of a DNS message.
#pragma once

namespace nightjar {

// The struct of a record that holds such bytes.
constexpr char kDnsStruct[] = "dns_message";

bool is_dns_field(const char *name);

} // namespace nightjar
