// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// What a task may do and which namespaces it is in.
#pragma once

#include "read.h"
#include "task.h"

// Members are fields of the message Credentials.
struct credentials {
    u32 real_uid, effective_uid, saved_uid, filesystem_uid;
    u32 real_gid, effective_gid, saved_gid, filesystem_gid;
    u64 capabilities_inheritable;
    u64 capabilities_permitted;
    u64 capabilities_effective;
    u64 capabilities_bounding;
    u64 capabilities_ambient;
};

// Members are fields of the message Namespaces.
struct namespaces {
    u32 mount, pid, pid_for_children, network, user, uts, ipc, cgroup, time;
};

// Where a set lies behind the first. 6.3 made kernel_cap_t one number of two halves (f122a08b197d): the bytes are the
// same on machines that begin with the lowest.
#define CAPABILITIES_AT(cred, set) (bpf_core_field_offset((cred)->set) - bpf_core_field_offset((cred)->cap_inheritable))

// The five sets lie one behind the other, unless the kernel was built to shuffle its structures.
static __always_inline void capabilities_read(struct credentials *to, const struct cred *cred) {
    const u64 size = sizeof(u64);
    const bool is_in_order =
        CAPABILITIES_AT(cred, cap_permitted) == size && CAPABILITIES_AT(cred, cap_effective) == 2 * size &&
        CAPABILITIES_AT(cred, cap_bset) == 3 * size && CAPABILITIES_AT(cred, cap_ambient) == 4 * size;
    if (is_in_order) {
        bpf_core_read(&to->capabilities_inheritable, 5 * size, &cred->cap_inheritable);
        return;
    }
    bpf_core_read(&to->capabilities_inheritable, size, &cred->cap_inheritable);
    bpf_core_read(&to->capabilities_permitted, size, &cred->cap_permitted);
    bpf_core_read(&to->capabilities_effective, size, &cred->cap_effective);
    bpf_core_read(&to->capabilities_bounding, size, &cred->cap_bset);
    bpf_core_read(&to->capabilities_ambient, size, &cred->cap_ambient);
}

static __always_inline void credentials_read(struct credentials *to, struct task_struct *task, bool is_known) {
    const struct cred *cred = READ(is_known, task, cred);
    to->real_uid = READ(is_known, cred, uid.val);
    to->effective_uid = READ(is_known, cred, euid.val);
    to->saved_uid = READ(is_known, cred, suid.val);
    to->filesystem_uid = READ(is_known, cred, fsuid.val);
    to->real_gid = READ(is_known, cred, gid.val);
    to->effective_gid = READ(is_known, cred, egid.val);
    to->saved_gid = READ(is_known, cred, sgid.val);
    to->filesystem_gid = READ(is_known, cred, fsgid.val);
    capabilities_read(to, cred);
}

// All but the pid namespace it is in, which a task never leaves.
static __always_inline void namespaces_read(struct namespaces *to, struct task_struct *task, bool is_known) {
    struct nsproxy *spaces = READ(is_known, task, nsproxy);
    to->mount = READ(is_known, spaces, mnt_ns, ns.inum);
    to->pid_for_children = READ(is_known, spaces, pid_ns_for_children, ns.inum);
    to->network = READ(is_known, spaces, net_ns, ns.inum);
    to->user = READ(is_known, task, cred, user_ns, ns.inum);
    to->uts = READ(is_known, spaces, uts_ns, ns.inum);
    to->ipc = READ(is_known, spaces, ipc_ns, ns.inum);
    to->cgroup = READ(is_known, spaces, cgroup_ns, ns.inum);
    to->time = READ(is_known, spaces, time_ns, ns.inum);
}
