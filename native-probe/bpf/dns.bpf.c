// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports questions to DNS servers and their answers, by whichever call they travel; the addon reads what they say.
#include "dns_socket.h"
#include "message.h"
#include "ring.h"

enum {
    // Sockets connected to a DNS server that are remembered; beyond that the one used longest ago is forgotten.
    DNS_SOCKETS_MAX = 4096,
    // A message's head (RFC 1035, 4.1.1): what is shorter is none.
    DNS_HEAD_SIZE = 12,
};

// Bytes of a message, known to the addon by this name: it makes most fields of the message Dns of them.
struct dns_message {
    u32 offset;
    u32 length;
    // It went through TCP.
    u8 is_stream;
};

struct dns_event {
    struct event_header header;
    s32 fd;
    struct descriptor descriptor;
    u32 carrier;
    u32 size;
    struct dns_message message;
};

EVENT_RECORD(dns, EVENT_DNS)

// A descriptor of a thread group.
struct dns_socket {
    u32 pid;
    s32 fd;
};

// Sockets through which a resolver may read and write as if they were files. Everything else that is read and written
// is left alone after one look here.
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, DNS_SOCKETS_MAX);
    __type(key, struct dns_socket);
    __type(value, u8);
} dns_sockets SEC(".maps");

static __always_inline struct dns_socket dns_socket_of(s32 fd) {
    return (struct dns_socket){.pid = bpf_get_current_pid_tgid() >> 32, .fd = fd};
}

static __always_inline bool call_is_of_files(u32 call) {
    return call == CALL_READ || call == CALL_READV || call == CALL_WRITE || call == CALL_WRITEV;
}

// Remembers a socket that was connected to a DNS server, or is being connected; forgets one that is something else now.
static __always_inline int dns_connected(s32 fd) {
    struct dns_socket key = dns_socket_of(fd);
    struct sock *sock = file_sock(descriptor_file(fd));
    u16 family = sock ? BPF_CORE_READ(sock, __sk_common.skc_family) : 0;
    bool is_internet = family == AF_INET || family == AF_INET6;
    u8 yes = 1;
    if (is_internet && port_is_dns(bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport))))
        bpf_map_update_elem(&dns_sockets, &key, &yes, BPF_ANY);
    else if (bpf_map_lookup_elem(&dns_sockets, &key))
        bpf_map_delete_elem(&dns_sockets, &key);
    return 0;
}

// The server's port: the socket's remote one, else the one in the message's name.
static __always_inline u16 message_remote_port(const struct record *record, struct sock *sock,
                                               const struct message *message) {
    struct sockaddr_head head = {};
    u16 port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
    if (port || !message->name || message->name_size < __builtin_offsetof(struct sockaddr_head, flow_or_ipv4))
        return port;
    u32 size = __builtin_offsetof(struct sockaddr_head, flow_or_ipv4);
    if (record_read_passed(record, &head, size, (const void *)message->name)) return 0;
    return head.family == AF_INET || head.family == AF_INET6 ? bpf_ntohs(head.port) : 0;
}

static __always_inline bool message_is_dns(const struct record *record, const struct message *message) {
    struct sock *sock = file_sock(record_file(record, message->fd));
    s64 size = message->transferred < 0 ? (s64)message->size : message->transferred;
    if (!sock || size < DNS_HEAD_SIZE || (call_receives(message->call) && message->transferred < 0)) return false;
    // Who only peeks reads it again.
    if (call_receives(message->call) && message->flags & MSG_PEEK) return false;
    return port_is_dns(message_remote_port(record, sock, message));
}

// Fills a record that was begun, or gives it back where its message is none; see message_read for why it is not
// static. Returns whether it is one.
__noinline int dns_message_fill(u32 slot) {
    struct record *record = record_at(slot);
    if (!record) return 0;
    struct dns_event *event = (void *)record->bytes;
    message_read(slot);
    struct message *message = &record->message;
    if (!message_is_dns(record, message)) {
        record_cancel(record);
        return 0;
    }
    if (!event_seen(EVENT_DNS)) {
        record_cancel(record);
        return 1;
    }
    event->fd = message->fd;
    event->carrier = message->call;
    event->size = message->transferred < 0 ? message->size : message->transferred;
    message_descriptor(record, &event->descriptor, message);
    message_data(slot, MESSAGE_DATA_SIZE_MAX);
    const bool is_stream = event->descriptor.protocol == IPPROTO_TCP;
    event->message = (struct dns_message){record->message_data.offset, record->message_data.length, is_stream};
    record_submit(record);
    return 1;
}

static __always_inline int dns_message_seen(const struct call_frame *frame, s64 result, u32 index) {
    struct record *record;
    struct dns_event *event = dns_begin(&record);
    if (!event) {
        // Counted as dropped, though it may have been none.
        LEDGER_COUNT(EVENT_DNS, seen);
        return 0;
    }
    header_fill_call(record, &event->header, frame, result);
    event->header.call = CALL_DNS;
    call_read(&record->call, frame, result, index);
    return dns_message_fill(record->slot);
}

SYSCALL_PROGRAM(dns, EVENT_DNS, frame, result) {
    u32 call = syscall_call(frame);
    s32 fd = SYSCALL_ARGUMENT_0(frame);
    if (call == CALL_CONNECT) return dns_connected(fd);
    struct dns_socket key = dns_socket_of(fd);
    if (call_is_of_files(call) && !bpf_map_lookup_elem(&dns_sockets, &key)) return 0;
    if (!sock_can_be_dns(file_sock(frame_file(frame, fd))) || task_is_own()) return 0;
    // A struct iovec of 32 bits is another.
    if (frame->narrow && (call == CALL_READV || call == CALL_WRITEV)) return 0;

    // Those of one call go to one server.
    if (!dns_message_seen(frame, result, 0)) return 0;
    u32 messages = messages_of_call(EVENT_DNS, call, result);
    for (u32 index = 1; index < MESSAGES_MAX && index < messages; index++) dns_message_seen(frame, result, index);
    return 0;
}

RING_PROGRAM(dns)
