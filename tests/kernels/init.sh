#!/bin/busybox sh
# The first program in the virtual machine: mounts the host's files, read-only under a layer of memory, goes on there.
B=/bin/busybox
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
for module in virtio_pci virtio_console virtio_rng 9pnet_virtio 9p overlay; do $B modprobe $module; done
$B mkdir -p /host /layer /root
SHARE="trans=virtio,version=9p2000.L,msize=512000"
$B mount -t 9p -o $SHARE,cache=loose,ro host /host || exec $B poweroff -f
$B mount -t tmpfs -o size=80% tmpfs /layer
$B mkdir -p /layer/upper /layer/work
$B mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /root
$B mkdir -p /root/proc /root/sys /root/dev /root/run /root/tmp /root/control "/root/lib/modules/$($B uname -r)"
$B mount -t 9p -o $SHARE,cache=none control /root/control
$B mount -t 9p -o $SHARE,cache=loose,ro modules "/root/lib/modules/$($B uname -r)"
for folder in proc sys dev; do $B mount --move /$folder /root/$folder; done
exec $B switch_root /root /bin/bash /control/guest.sh
