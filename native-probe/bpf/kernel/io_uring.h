// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What a ring is asked to do: requests, and what each operation keeps of them, as of 6.0.
#pragma once

#include "task.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct filename {
    const char *name;
};

struct io_cqe {
    s32 res;
    // Until the result is there: the descriptor that was passed.
    int fd;
};

struct io_uring_task {
    struct task_struct *task;
};

// 6.0 moved what an operation keeps behind one member (f2ccb5aed7bc).
struct io_cmd_data {
    struct file *file;
};

struct io_kiocb {
    struct io_cmd_data cmd;
    u8 opcode;
    struct io_cqe cqe;
    struct io_uring_task *tctx;
    // What an operation was given, where it does not fit into cmd.
    void *async_data;
};

// 6.13 dropped task, which tctx has too (b6f58a3f4aa8).
struct io_kiocb___before_6_13 {
    struct task_struct *task;
};

// 6.10 widened the flags; the lowest are the submission's (0ae9b9a14d54).
struct io_kiocb___with_wide_flags {
    u64 flags;
};

struct kiocb {
    s64 ki_pos;
};

struct io_rw {
    struct kiocb kiocb;
    u64 addr;
    u32 len;
};

struct io_splice {
    s64 off_out;
    u64 len;
};

struct delayed_filename {
    struct filename *__incomplete_filename;
};

struct io_open {
    int dfd;
    u32 file_slot;
    struct filename *filename;
    struct open_how how;
};

struct io_open___delayed {
    struct delayed_filename filename;
};

struct io_rename {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
    int flags;
};

struct io_rename___delayed {
    struct delayed_filename oldpath, newpath;
};

struct io_unlink {
    int dfd, flags;
    struct filename *filename;
};

struct io_unlink___delayed {
    struct delayed_filename filename;
};

struct io_mkdir {
    int dfd;
    u16 mode;
    struct filename *filename;
};

struct io_mkdir___delayed {
    struct delayed_filename filename;
};

struct io_link {
    int old_dfd, new_dfd;
    struct filename *oldpath, *newpath;
    int flags;
};

struct io_link___delayed {
    struct delayed_filename oldpath, newpath;
};

struct io_connect {
    void *addr;
    int addr_len;
};

struct io_accept {
    int flags;
    u32 file_slot;
};

struct io_bind {
    int addr_len;
};

struct io_listen {
    int backlog;
};

struct io_shutdown {
    int how;
};

struct io_ftrunc {
    s64 len;
};

struct io_sr_msg {
    void *umsg;
    void *buf;
    int len;
    u32 msg_flags;
};

// Until 6.12.
struct io_sr_msg___with_address {
    void *addr;
    u16 addr_len;
};

struct msghdr {
    void *msg_name;
    int msg_namelen;
};

struct any_address {
    u16 family;
};

struct io_async_msghdr {
    struct msghdr msg;
    struct any_address addr;
};

struct xattr_context {
    void *kvalue;
    u64 size;
    void *kname;
    u32 flags;
};

struct io_xattr {
    struct xattr_context ctx;
    struct filename *filename;
};

struct io_xattr___delayed {
    struct delayed_filename filename;
};

struct io_socket {
    int domain, type, protocol, flags;
    u32 file_slot;
};

#pragma clang attribute pop
