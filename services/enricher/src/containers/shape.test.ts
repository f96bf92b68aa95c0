// Paths of cgroups as runtimes make them, of both versions and both drivers, and those that only look like it.
import test from "ava";
import { shapeOf } from "./shape.ts";

const ID = "8b8bdc5bcf6a4d3f9c1e0a7d2f4b6c8e0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const OUTER = "1".repeat(64);
const UID = "0b0a8e4c-5d3f-4a6b-9c8d-7e6f5a4b3c2d";
const UID_SLICE = UID.replaceAll("-", "_");
const STATIC_UID = "d4cbc5ef4e9c8d7a6b5f4e3d2c1b0a99";

const CERTAIN: readonly (readonly [title: string, path: string, runtime: string, id: string, podUid?: string])[] = [
  ["Docker, v1 and cgroupfs on v2", `/docker/${ID}`, "docker", ID],
  ["Docker, systemd", `/system.slice/docker-${ID}.scope`, "docker", ID],
  ["Docker, rootless", `/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${ID}.scope`, "docker", ID],
  ["Docker, systemd inside of it", `/system.slice/docker-${ID}.scope/system.slice/cron.service`, "docker", ID],
  ["Docker, told systemd's form", `/system.slice:docker:${ID}`, "docker", ID],
  ["Docker in Docker", `/docker/${OUTER}/docker/${ID}`, "docker", ID],
  ["Docker, Amazon's agent", `/ecs/0123456789abcdef0123456789abcdef/${ID}`, "docker", ID],
  ["Docker, Amazon's agent with a cluster", `/ecs/prod/${UID}/${ID}`, "docker", ID],
  ["containerd, nerdctl", `/user.slice/nerdctl-${ID}.scope`, "containerd", ID],
  ["Podman, systemd", `/machine.slice/libpod-${ID}.scope`, "podman", ID],
  ["Podman, its process in v2", `/machine.slice/libpod-${ID}.scope/container`, "podman", ID],
  [
    "Podman, rootless",
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    "podman",
    ID,
  ],
  ["Podman, in a pod", `/machine.slice/machine-libpod_pod_${OUTER}.slice/libpod-${ID}.scope`, "podman", ID],
  ["Podman, cgroupfs", `/libpod_parent/libpod-${ID}`, "podman", ID],
  ["Podman, split by systemd's service", `/system.slice/web.service/libpod-payload-${ID}`, "podman", ID],
  ["runc, systemd", "/system.slice/runc-web1.scope", "runc", "web1"],
  ["crun, systemd", "/user.slice/crun-a_b.c.scope", "crun", "a_b.c"],
  ["LXC 4", "/lxc.payload.web/system.slice/ssh.service", "lxc", "web"],
  ["LXC 3", "/lxc/web/init.scope", "lxc", "web"],
  ["LXC of libvirt", "/machine.slice/machine-lxc\\x2d4242\\x2dweb\\x2d1.scope", "lxc", "web-1"],
  ["nspawn", "/machine.slice/machine-deb\\x2d12.scope/payload/init.scope", "systemd-nspawn", "deb-12"],
  ["nspawn, its service", "/machine.slice/systemd-nspawn@web.service/payload", "systemd-nspawn", "web"],
  ["kubelet, cgroupfs", `/kubepods/burstable/pod${UID}/${ID}`, "", ID, UID],
  ["kubelet, cgroupfs, guaranteed", `/kubepods/pod${UID}/${ID}`, "", ID, UID],
  [
    "kubelet, systemd, containerd",
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UID_SLICE}.slice/cri-containerd-${ID}.scope`,
    "containerd",
    ID,
    UID,
  ],
  [
    "kubelet, systemd, CRI-O",
    `/kubepods.slice/kubepods-pod${UID_SLICE}.slice/crio-${ID}.scope/container`,
    "cri-o",
    ID,
    UID,
  ],
  [
    "kubelet, systemd, Docker",
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID_SLICE}.slice/docker-${ID}.scope`,
    "docker",
    ID,
    UID,
  ],
  [
    "kubelet within a container",
    `/docker/${OUTER}/kubelet.slice/kubelet-kubepods-pod${UID_SLICE}.slice/cri-containerd-${ID}.scope`,
    "containerd",
    ID,
    UID,
  ],
  ["kubelet, cgroupfs, CRI-O", `/kubepods/besteffort/pod${UID}/crio-${ID}`, "cri-o", ID, UID],
  ["a static pod", `/kubepods/burstable/pod${STATIC_UID}/${ID}`, "", ID, STATIC_UID],
  [
    "containerd, told systemd's form",
    `/system.slice/containerd.service/kubepods-burstable-pod${UID_SLICE}.slice:cri-containerd:${ID}`,
    "containerd",
    ID,
    UID,
  ],
  ["who keeps a container in a container", `/docker/${OUTER}/libpod_parent/libpod-conmon-${ID}`, "docker", OUTER],
];

for (const [title, path, runtime, fullId, podUid = ""] of CERTAIN) {
  test(`a container: ${title}`, (t) => t.deepEqual(shapeOf(path), { fullId, runtime, podUid, isCertain: true }));
}

/** Only a runtime that knows the id makes these containers. */
const UNCERTAIN: readonly (readonly [title: string, path: string, id: string])[] = [
  ["a hexadecimal name", "/process_api/d5a5b8a7e75d26808709c99a794600ec", "d5a5b8a7e75d26808709c99a794600ec"],
  ["64 digits in somebody's folder", `/jobs/${ID}`, ID],
  ["runc alone", "/web1", "web1"],
  ["ctr", "/default/redis", "redis"],
  ["within such a container", "/default/redis/init.scope", "redis"],
];

for (const [title, path, fullId] of UNCERTAIN) {
  test(`perhaps a container: ${title}`, (t) => {
    t.deepEqual(shapeOf(path), { fullId, runtime: "", podUid: "", isCertain: false });
  });
}

const NONE: readonly (readonly [title: string, path: string])[] = [
  ["the root", "/"],
  ["nothing", ""],
  ["a service", "/system.slice/ssh.service"],
  ["a person's session", "/user.slice/user-0.slice/session-1.scope"],
  ["who keeps Podman's container", `/machine.slice/libpod-conmon-${ID}.scope`],
  ["who keeps CRI-O's container", `/system.slice/crio-conmon-${ID}.scope`],
  ["nspawn's own process", "/machine.slice/machine-web.scope/supervisor"],
  ["a virtual machine", "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope"],
];

for (const [title, path] of NONE) test(`no container: ${title}`, (t) => t.is(shapeOf(path), undefined));

test("whatever a path is, it is read", (t) => {
  for (const path of ["//", "/\0/\u{1F600}", "/".repeat(4096), `/${"a".repeat(4096)}`, "/lxc.payload.", "/lxc/"]) {
    t.notThrows(() => shapeOf(path));
  }
});
