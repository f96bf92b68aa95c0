// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
// Reports each program that starts to run, with everything that says what the process now is.
#include "descriptor.h"
#include "image.h"
#include "known_thread.h"
#include "task.h"

enum {
    // Of all arguments together.
    ARGS_SIZE_MAX = 4096,
    // Of the whole environment.
    ENVIRONMENT_SIZE_MAX = 4096,
    TTY_NAME_SIZE_MAX = 64,
    FILENAME_SIZE_MAX = 4096,
    STDIO_DESCRIPTORS = 3,
    // Bit of task_struct.atomic_flags (include/linux/sched.h).
    PFA_NO_NEW_PRIVS = 0,
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
    struct text_list environment;
    u32 environment_size_bytes;
    u8 environment_truncated;
    u32 filesystem_uid, filesystem_gid;
    u64 capabilities_bounding, capabilities_ambient;
    u32 secure_bits, seccomp_mode;
    u8 no_new_privileges;
    u32 namespaced_process_group_id, namespaced_session_id;
    struct text tty_name;
    u8 executable_writable;
    u32 owner_gid;
    u8 executable_truncated, working_directory_truncated;
    u8 interpreted;
    u32 time_namespace;
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

static __always_inline void exec_environment_fill(struct record *record, struct exec_event *event,
                                                  struct task_struct *task) {
    struct settings *now = settings_read();
    u64 start = BPF_CORE_READ(task, mm, env_start);
    u64 size = BPF_CORE_READ(task, mm, env_end) - start;
    u32 length = size < ENVIRONMENT_SIZE_MAX ? size : ENVIRONMENT_SIZE_MAX;
    event->environment_size_bytes = size;
    if (!now || !now->environment_wanted) return;

    u8 *room = record_room(record);
    event->environment_truncated = size > ENVIRONMENT_SIZE_MAX;
    barrier_var(length);
    if (!room || length > ENVIRONMENT_SIZE_MAX || bpf_probe_read_user(room, length, (const void *)start)) {
        event->environment_truncated = size > 0;
        return;
    }
    event->environment.offset = record->size;
    event->environment.length = length;
    record->size += length;
}

static __always_inline void exec_credentials_fill(struct exec_event *event, struct task_struct *task) {
    struct credentials now;
    credentials_read(&now, task, true);
    event->real_uid = now.real_uid;
    event->effective_uid = now.effective_uid;
    event->saved_uid = now.saved_uid;
    event->filesystem_uid = now.filesystem_uid;
    event->real_gid = now.real_gid;
    event->effective_gid = now.effective_gid;
    event->saved_gid = now.saved_gid;
    event->filesystem_gid = now.filesystem_gid;
    event->capabilities_inheritable = now.capabilities_inheritable;
    event->capabilities_permitted = now.capabilities_permitted;
    event->capabilities_effective = now.capabilities_effective;
    event->capabilities_bounding = now.capabilities_bounding;
    event->capabilities_ambient = now.capabilities_ambient;
    event->secure_bits = task->cred->securebits;
    event->no_new_privileges = task->atomic_flags & 1 << PFA_NO_NEW_PRIVS;
    // Kernels without CONFIG_SECCOMP and CONFIG_AUDIT know no filter and no login.
    if (bpf_core_field_exists(task->seccomp.mode)) event->seccomp_mode = BPF_CORE_READ(task, seccomp.mode);
    event->login_uid = event->audit_session_id = -1;
    if (!bpf_core_field_exists(task->loginuid)) return;
    event->login_uid = BPF_CORE_READ(task, loginuid.val);
    event->audit_session_id = BPF_CORE_READ(task, sessionid);
}

static __always_inline void exec_terminal_fill(struct record *record, struct exec_event *event,
                                               struct tty_struct *tty) {
    event->tty =
        BPF_CORE_READ(tty, driver, major) << 8 | (BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
    record_kernel_string(record, &event->tty_name, &tty->name, TTY_NAME_SIZE_MAX);
}

static __always_inline void exec_session_fill(struct record *record, struct exec_event *event,
                                              struct task_struct *task) {
    struct signal_struct *signal = task->signal;
    struct pid *group = BPF_CORE_READ(signal, pids[PIDTYPE_PGID]), *session = BPF_CORE_READ(signal, pids[PIDTYPE_SID]);
    struct tty_struct *tty = BPF_CORE_READ(signal, tty);
    struct pid *own = BPF_CORE_READ(task, thread_pid);
    u32 level = BPF_CORE_READ(own, level);
    if (tty) exec_terminal_fill(record, event, tty);
    event->process_group_id = BPF_CORE_READ(group, numbers[0].nr);
    event->session_id = BPF_CORE_READ(session, numbers[0].nr);
    event->namespaced_process_group_id = pid_at_level(group, level);
    event->namespaced_session_id = pid_at_level(session, level);
    event->namespaced_pid = pid_innermost(own, &event->pid_namespace);
}

static __always_inline void exec_namespaces_fill(struct exec_event *event, struct task_struct *task) {
    struct namespaces now;
    namespaces_read(&now, task, true);
    event->mount_namespace = now.mount;
    event->network_namespace = now.network;
    event->user_namespace = now.user;
    event->uts_namespace = now.uts;
    event->ipc_namespace = now.ipc;
    event->cgroup_namespace = now.cgroup;
    event->time_namespace = now.time;
}

// As the kernel would answer access(2), apart from access control lists.
static __always_inline bool exec_file_is_writable(struct exec_event *event, struct file *file, struct inode *inode) {
    if (image_is_unwritable(file, inode)) return false;
    if (event->capabilities_effective >> CAPABILITY_DAC_OVERRIDE & 1) return true;
    if (event->filesystem_uid == event->owner_uid) return event->file_mode & MODE_WRITABLE_BY_OWNER;
    if (!(event->file_mode & MODE_WRITABLE_BY_GROUP)) return event->file_mode & MODE_WRITABLE_BY_OTHERS;
    if (event->filesystem_gid == event->owner_gid || task_in_group(event->owner_gid)) return true;
    return event->file_mode & MODE_WRITABLE_BY_OTHERS;
}

// Needs the ids and capabilities of the event.
static __always_inline void exec_file_fill(struct record *record, struct exec_event *event, struct file *file) {
    struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    path_read(record, &event->executable, &file->f_path);
    event->executable_truncated = event->executable.truncated;
    event->device = device_number(BPF_CORE_READ(inode, i_sb, s_dev));
    event->inode = BPF_CORE_READ(inode, i_ino);
    event->changed_time_ns = inode_changed_time_ns(inode);
    event->modified_time_ns = inode_modified_time_ns(inode);
    event->owner_uid = BPF_CORE_READ(inode, i_uid.val);
    event->owner_gid = BPF_CORE_READ(inode, i_gid.val);
    event->file_mode = BPF_CORE_READ(inode, i_mode);
    event->from_memfd = image_is_memfd(dentry, inode);
    event->upper_layer = image_is_on_upper_layer(inode);
    event->unlinked = image_is_unlinked(dentry, inode);
    event->executable_writable = exec_file_is_writable(event, file, inode);
}

// x86 calls every exec execve by now (set_personality_64bit); but only execveat runs what a descriptor refers to.
static __always_inline enum call exec_call(struct linux_binprm *program) {
    return BPF_CORE_READ(program, fdpath) ? CALL_EXECVEAT : CALL_EXECVE;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *program) {
    known_thread_keep(task, true, bpf_ktime_get_boot_ns());
    if (!event_seen(EVENT_EXEC)) return 0;
    struct record *record;
    struct exec_event *event = exec_begin(&record);
    if (!event) return 0;
    struct fs_struct *fs = BPF_CORE_READ(task, fs);

    header_fill(record, &event->header, task);
    event->header.call = exec_call(program);
    event->interpreted = BPF_CORE_READ(program, interp) != BPF_CORE_READ(program, filename);
    exec_credentials_fill(event, task);
    exec_session_fill(record, event, task);
    exec_namespaces_fill(event, task);
    exec_file_fill(record, event, BPF_CORE_READ(program, file));
    record_kernel_string(record, &event->filename, BPF_CORE_READ(program, filename), FILENAME_SIZE_MAX);
    exec_args_fill(record, event, task);
    path_read(record, &event->working_directory, &fs->pwd);
    event->working_directory_truncated = event->working_directory.truncated;
    cgroup_path(record, &event->cgroup, task);
    for (u32 fd = 0; fd < STDIO_DESCRIPTORS; fd++) {
        struct file *file = descriptor_file(fd);
        if (file) descriptor_read(record, &event->stdio[fd], file);
    }
    exec_environment_fill(record, event, task);
    return record_submit(record);
}
