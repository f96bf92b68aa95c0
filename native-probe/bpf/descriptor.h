// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What a file descriptor refers to.
#pragma once

#include "path.h"
#include "socket.h"
#include "task.h"

enum {
    S_IFMT = 0170000,
    S_IFSOCK = 0140000,
    S_IFREG = 0100000,
    S_IFBLK = 0060000,
    S_IFDIR = 0040000,
    S_IFCHR = 0020000,
    S_IFIFO = 0010000,
};

// Of the flags of an open, those that say what it is for.
enum { O_ACCMODE = 3 };

// The kernel's own form of a device number.
enum { DEVICE_MINOR_BITS = 20, DEVICE_MINOR_MASK = (1 << DEVICE_MINOR_BITS) - 1 };

// Members are fields of the message Descriptor.
struct descriptor {
    u8 type;
    u16 family;
    u16 socket_type;
    u16 protocol;
    struct endpoint local;
    struct endpoint remote;
    struct text name;
    struct path_text path;
    u8 is_server;
    u8 connected;
};

static __always_inline struct file *descriptor_file_read(struct task_struct *task, u32 fd, bool is_known) {
    struct fdtable *table = READ(is_known, task, files, fdt);
    struct file **files = READ(is_known, table, fd);
    struct file *file = NULL;
    if (fd < READ(is_known, table, max_fds)) bpf_probe_read_kernel(&file, sizeof(file), files + fd);
    return file;
}

// The file behind a descriptor of the running task; NULL where it is closed.
static __always_inline struct file *descriptor_file(u32 fd) {
    if (CURRENT_TASK_IS_KNOWN) return descriptor_file_read(current_task_known(), fd, true);
    return descriptor_file_read((struct task_struct *)bpf_get_current_task(), fd, false);
}

// A device number as stat(2) gives it.
static __always_inline u32 device_number(u32 device) {
    u32 major = device >> DEVICE_MINOR_BITS;
    u32 minor = device & DEVICE_MINOR_MASK;
    return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

// Majors that are terminals (Documentation/admin-guide/devices.txt).
static __always_inline bool device_is_tty(u32 device) {
    u32 major = device >> DEVICE_MINOR_BITS;
    // tty and console, /dev/tty, pseudo terminals, USB, low-density and hypervisor consoles
    return major == 4 || major == 5 || (major >= 136 && major <= 143) || major == 188 || major == 204 || major == 229;
}

// The type of anything but a socket; `mode` is the inode's.
static __always_inline enum descriptor_type inode_type(struct inode *inode, u16 mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return DESCRIPTOR_TYPE_FILE;
    case S_IFDIR:
        return DESCRIPTOR_TYPE_DIRECTORY;
    case S_IFCHR:
        return device_is_tty(BPF_CORE_READ(inode, i_rdev)) ? DESCRIPTOR_TYPE_TTY : DESCRIPTOR_TYPE_CHARACTER;
    case S_IFBLK:
        return DESCRIPTOR_TYPE_BLOCK;
    case S_IFIFO:
        return DESCRIPTOR_TYPE_PIPE;
    case S_IFSOCK:
        return DESCRIPTOR_TYPE_SOCKET;
    default:
        return DESCRIPTOR_TYPE_OTHER;
    }
}

static __always_inline enum descriptor_type family_type(u16 family) {
    if (family == AF_INET) return DESCRIPTOR_TYPE_IPV4;
    if (family == AF_INET6) return DESCRIPTOR_TYPE_IPV6;
    return family == AF_UNIX ? DESCRIPTOR_TYPE_UNIX : DESCRIPTOR_TYPE_SOCKET;
}

// The socket behind a file; NULL where the file is none.
static __always_inline struct socket *file_socket(struct file *file) {
    u16 mode = BPF_CORE_READ(file, f_inode, i_mode);
    return (mode & S_IFMT) == S_IFSOCK ? BPF_CORE_READ(file, private_data) : NULL;
}

// Whether the local end is the server's. What a listening TCP socket hands out is its clone, and nothing but listen(2)
// sets the length of the queue that the clone still says (sk_clone_lock; inet_csk_clone_lock empties the queue alone).
// Every unix socket has one, but only a server has a name by which it was found.
static __always_inline bool sock_is_server(struct sock *sock, const struct descriptor *descriptor) {
    if (BPF_CORE_READ(sock, __sk_common.skc_state) == TCP_LISTEN) return true;
    if (descriptor->family == AF_UNIX) return descriptor->local.path.length && !descriptor->remote.path.length;
    return descriptor->protocol == IPPROTO_TCP && BPF_CORE_READ(sock, sk_max_ack_backlog) != 0;
}

// Both ends of a socket, and what it is; the kernel's part of it may have no file any more.
static __noinline int sock_read(struct record *record, struct descriptor *descriptor, struct sock *sock) {
    descriptor->family = BPF_CORE_READ(sock, __sk_common.skc_family);
    descriptor->type = family_type(descriptor->family);
    descriptor->socket_type = BPF_CORE_READ(sock, sk_type);
    descriptor->protocol = BPF_CORE_READ(sock, sk_protocol);
    socket_ends(record, sock, &descriptor->local, &descriptor->remote);
    descriptor->is_server = sock_is_server(sock, descriptor);
    descriptor->connected = descriptor->remote.port || descriptor->remote.path.length;
    return 0;
}

// Its type, both ends of a socket, the last component of a name.
static __noinline int descriptor_read(struct record *record, struct descriptor *descriptor, struct file *file) {
    struct socket *socket = file_socket(file);
    struct sock *sock = socket ? BPF_CORE_READ(socket, sk) : NULL;
    if (sock) return sock_read(record, descriptor, sock);

    struct inode *inode = BPF_CORE_READ(file, f_inode);
    descriptor->type = inode_type(inode, BPF_CORE_READ(inode, i_mode));
    const void *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
    record_kernel_string(record, &descriptor->name, name, NAME_SIZE_MAX);
    return 0;
}

// The same, with the whole path of what has one.
static __always_inline void descriptor_read_with_path(struct record *record, struct descriptor *descriptor,
                                                      struct file *file) {
    descriptor_read(record, descriptor, file);
    if (descriptor->name.length) path_read(record, &descriptor->path, &file->f_path);
}

// The file that a call was given: of a descriptor, or of a slot in a ring's own table, which has none.
static __always_inline struct file *record_file(const struct record *record, s32 fd) {
    return fd < 0 && record->ring_file ? (struct file *)record->ring_file : descriptor_file(fd);
}

// Of an open descriptor of the running task; its file, NULL where it is closed.
static __always_inline struct file *descriptor_fill(struct record *record, struct descriptor *descriptor, u32 fd) {
    struct file *file = record_file(record, fd);
    if (file) descriptor_read(record, descriptor, file);
    return file;
}

// The kernel's part of the socket behind a file; NULL where the file is none.
static __always_inline struct sock *file_sock(struct file *file) {
    struct socket *socket = file ? file_socket(file) : NULL;
    return socket ? BPF_CORE_READ(socket, sk) : NULL;
}
