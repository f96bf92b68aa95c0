#!/usr/bin/env bash
# The second program in the virtual machine: mounts what a running system has, runs the command, and switches off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
ln -sfn /proc/self/fd /dev/fd
ip link set lo up
# Tests get a folder of a plain file system, not of the layered one.
mkdir -m 1777 /run/temporary
export TMPDIR=/run/temporary
stty -F /dev/hvc0 raw -echo
bash /control/command.sh </dev/null >/dev/hvc0 2>&1
echo $? >/control/status
sync
echo o >/proc/sysrq-trigger
sleep 60
