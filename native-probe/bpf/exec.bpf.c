// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each program that starts to run, with everything that says what the process now is.
#include "descriptor.h"
#include "image.h"
#include "task.h"

enum {
    // Of all arguments together.
    ARGS_SIZE_MAX = 4096,
    FILENAME_SIZE_MAX = 4096,
    STDIO_DESCRIPTORS = 3,
};

struct exec_event {
    struct event_header header;
    struct path_text executable;
    struct text filename;
    struct text_list args;
    u32 args_size_bytes;
    u8 args_truncated;
    struct path_text working_directory;
    u32 real_uid, effective_uid, saved_uid;
    u32 real_gid, effective_gid, saved_gid;
    u32 login_uid, audit_session_id;
    u64 capabilities_permitted, capabilities_effective, capabilities_inheritable;
    u32 tty, process_group_id, session_id, namespaced_pid;
    struct path_text cgroup;
    u32 mount_namespace, pid_namespace, network_namespace, user_namespace;
    u32 uts_namespace, ipc_namespace, cgroup_namespace;
    u32 device;
    u64 inode;
    u64 changed_time_ns, modified_time_ns;
    u32 owner_uid, file_mode;
    u8 from_memfd, upper_layer, unlinked;
    struct descriptor stdio[STDIO_DESCRIPTORS];
};

EVENT_RECORD(exec, EVENT_EXEC)

static __always_inline void exec_args_fill(struct record *record, struct exec_event *event, struct task_struct *task) {
    u64 start = BPF_CORE_READ(task, mm, arg_start);
    u64 size = BPF_CORE_READ(task, mm, arg_end) - start;
    u8 *room = record_room(record);
    u32 length = size < ARGS_SIZE_MAX ? size : ARGS_SIZE_MAX;

    event->args_size_bytes = size;
    event->args_truncated = size > ARGS_SIZE_MAX;
    barrier_var(length);
    if (!room || length > ARGS_SIZE_MAX || bpf_probe_read_user(room, length, (const void *)start)) {
        event->args_truncated = size > 0;
        return;
    }
    event->args.offset = record->size;
    event->args.length = length;
    record->size += length;
}

static __always_inline void exec_credentials_fill(struct exec_event *event, struct task_struct *task) {
    const struct cred *cred = BPF_CORE_READ(task, cred);
    event->real_uid = BPF_CORE_READ(cred, uid.val);
    event->effective_uid = BPF_CORE_READ(cred, euid.val);
    event->saved_uid = BPF_CORE_READ(cred, suid.val);
    event->real_gid = BPF_CORE_READ(cred, gid.val);
    event->effective_gid = BPF_CORE_READ(cred, egid.val);
    event->saved_gid = BPF_CORE_READ(cred, sgid.val);
    bpf_core_read(&event->capabilities_permitted, sizeof(u64), &cred->cap_permitted);
    bpf_core_read(&event->capabilities_effective, sizeof(u64), &cred->cap_effective);
    bpf_core_read(&event->capabilities_inheritable, sizeof(u64), &cred->cap_inheritable);
    event->user_namespace = BPF_CORE_READ(cred, user_ns, ns.inum);
    // Kernels without CONFIG_AUDIT know no login.
    event->login_uid = event->audit_session_id = -1;
    if (!bpf_core_field_exists(task->loginuid)) return;
    event->login_uid = BPF_CORE_READ(task, loginuid.val);
    event->audit_session_id = BPF_CORE_READ(task, sessionid);
}

static __always_inline void exec_session_fill(struct exec_event *event, struct task_struct *task) {
    struct signal_struct *signal = BPF_CORE_READ(task, signal);
    struct tty_struct *tty = BPF_CORE_READ(signal, tty);
    struct nsproxy *spaces = BPF_CORE_READ(task, nsproxy);
    if (tty)
        event->tty = BPF_CORE_READ(tty, driver, major) << 8 |
                     (BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
    event->process_group_id = BPF_CORE_READ(signal, pids[PIDTYPE_PGID], numbers[0].nr);
    event->session_id = BPF_CORE_READ(signal, pids[PIDTYPE_SID], numbers[0].nr);
    event->namespaced_pid = pid_innermost(BPF_CORE_READ(task, thread_pid), &event->pid_namespace);
    event->mount_namespace = BPF_CORE_READ(spaces, mnt_ns, ns.inum);
    event->network_namespace = BPF_CORE_READ(spaces, net_ns, ns.inum);
    event->uts_namespace = BPF_CORE_READ(spaces, uts_ns, ns.inum);
    event->ipc_namespace = BPF_CORE_READ(spaces, ipc_ns, ns.inum);
    event->cgroup_namespace = BPF_CORE_READ(spaces, cgroup_ns, ns.inum);
}

static __always_inline void exec_file_fill(struct record *record, struct exec_event *event, struct file *file) {
    struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    path_read(record, &event->executable, &file->f_path);
    event->device = device_number(BPF_CORE_READ(inode, i_sb, s_dev));
    event->inode = BPF_CORE_READ(inode, i_ino);
    event->changed_time_ns = inode_changed_time_ns(inode);
    event->modified_time_ns = inode_modified_time_ns(inode);
    event->owner_uid = BPF_CORE_READ(inode, i_uid.val);
    event->file_mode = BPF_CORE_READ(inode, i_mode);
    event->from_memfd = image_is_memfd(dentry, inode);
    event->upper_layer = image_is_on_upper_layer(inode);
    event->unlinked = image_is_unlinked(dentry, inode);
}

// x86 calls every exec execve by now (set_personality_64bit); but only execveat runs what a descriptor refers to.
static __always_inline enum call exec_call(struct linux_binprm *program) {
    return BPF_CORE_READ(program, fdpath) ? CALL_EXECVEAT : CALL_EXECVE;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *program) {
    if (!event_seen(EVENT_EXEC)) return 0;
    struct record *record;
    struct exec_event *event = exec_begin(&record);
    if (!event) return 0;
    struct fs_struct *fs = BPF_CORE_READ(task, fs);

    header_fill(record, &event->header, task);
    event->header.call = exec_call(program);
    exec_credentials_fill(event, task);
    exec_session_fill(event, task);
    exec_file_fill(record, event, BPF_CORE_READ(program, file));
    record_kernel_string(record, &event->filename, BPF_CORE_READ(program, filename), FILENAME_SIZE_MAX);
    exec_args_fill(record, event, task);
    path_read(record, &event->working_directory, &fs->pwd);
    cgroup_path(record, &event->cgroup, task);
    for (u32 fd = 0; fd < STDIO_DESCRIPTORS; fd++) {
        struct file *file = descriptor_file(fd);
        if (file) descriptor_read(record, &event->stdio[fd], file);
    }
    return record_submit(record);
}
