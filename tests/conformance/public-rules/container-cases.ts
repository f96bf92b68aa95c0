// The public rules about containers: deeds in one, and the same on the host, or in a container that is otherwise.
import { Call, DescriptorType } from "@nightjar/proto";
import {
  by,
  type Case,
  type ContainerInit,
  calls,
  connects,
  type Deed,
  O_CREATE,
  O_WRITE,
  opens,
  program,
  starts,
} from "./deeds.ts";

const encoder = new TextEncoder();
const SHIM = program("/usr/bin/containerd-shim");
const FULL_ID = "4".repeat(64);
const CONTAINER: ContainerInit = {
  id: FULL_ID.slice(0, 12),
  fullId: FULL_ID,
  name: "web",
  runtime: "docker",
  image: "docker.io/library/nginx:1.27",
  imageRepository: "docker.io/library/nginx",
  imageTag: "1.27",
  privileged: false,
};
const PRIVILEGED: ContainerInit = { ...CONTAINER, privileged: true };
const WITH_SOCKET: ContainerInit = {
  ...CONTAINER,
  mounts: [{ source: "/var/run/docker.sock", destination: "/var/run/docker.sock", writable: true }],
};

const CAP_SYS_MODULE = 1n << 16n;
const CAP_SYS_ADMIN = 1n << 21n;
const CAP_NET_ADMIN = 1n << 12n;
const TTY = 0x8803;
const FIRST = { namespacedPid: 1 };
const AF_PACKET = 17;
const AF_INET = 2;
const CLONE_NEWUSER = 0x10000000n;

const inside = (deed: Deed, container = CONTAINER): Deed => ({ ...deed, container });
/** What is a deed of the rule in a container, and none outside. */
const only = (rule: string, deed: Deed, container = CONTAINER): Case => [rule, inside(deed, container), deed];

const runs = (path: string, ...args: string[]) => starts(path, [path.slice(path.lastIndexOf("/") + 1), ...args]);
const loadsModule = calls(Call.FINIT_MODULE, { case: "moduleLoad", value: { fd: 3 } });
const socketOf = (domain: number) => calls(Call.SOCKET, { case: "socket", value: { domain, fd: 3 } }, 3);
const splits = calls(Call.UNSHARE, { case: "setNamespace", value: { flags: CLONE_NEWUSER } });
const withMode = (mode: number) =>
  calls(Call.FCHMODAT, { case: "chmod", value: { absolute: encoder.encode("/tmp/x"), mode } });
const ofRoot = (deed: Deed): Deed => ({ ...deed, user: "root" });
const able = (capabilities: bigint) => ({
  image: { capabilitiesPermitted: capabilities, capabilitiesEffective: capabilities },
});
const makesProgram = (fileMode: number) => opens("/tmp/x", O_CREATE, { created: true, fileMode });
const started = (rest: Parameters<typeof starts>[2] = {}) => starts("/bin/sh", ["sh"], { ...FIRST, ...rest });
const READER = "/usr/bin/head";
const TO_CLOUD = by("/opt/x", connects("169.254.169.254", 80));
const API = "10.96.0.1";

function redirects(type: "socket" | "file"): Deed {
  const address = { address: new Uint8Array([203, 0, 113, 9]), port: 4444 };
  const socket = { type: DescriptorType.IPV4, family: AF_INET, socketType: 1, remote: address, connected: true };
  const file = { type: DescriptorType.FILE, name: encoder.encode("/tmp/x") };
  const descriptor = type === "socket" ? socket : file;
  return by("/opt/x", calls(Call.DUP2, { case: "duplicate", value: { fd: 4, newFd: 1, descriptor } }, 1));
}

export const IN_CONTAINERS: readonly Case[] = [
  only("Terminal shell in container", starts("/bin/bash", ["bash"], { tty: TTY }, SHIM)),
  [
    "Contact K8S API Server From Container",
    inside({
      ...by("/opt/x", connects(API, 443)),
      addressNames: { [API]: ["kubernetes.default.svc.cluster.local"] },
    }),
    inside(by("/opt/x", connects(API, 443))),
  ],
  only("Netcat Remote Code Execution in Container", runs("/bin/nc", "-e", "/bin/sh")),
  [
    "Packet socket created in container",
    inside(by("/opt/x", socketOf(AF_PACKET))),
    inside(by("/opt/x", socketOf(AF_INET))),
  ],
  ["Redirect STDOUT/STDIN to Network Connection in Container", inside(redirects("socket")), inside(redirects("file"))],
  only("Linux Kernel Module Injection Detected", { ...by("/opt/x", loadsModule), ...able(CAP_SYS_MODULE) }),
  [
    "Debugfs Launched in Privileged Container",
    inside(runs("/sbin/debugfs"), PRIVILEGED),
    inside(runs("/sbin/debugfs")),
  ],
  only("Detect release_agent File Container Escapes", {
    ...ofRoot(by("/opt/x", opens("/sys/fs/cgroup/release_agent", O_WRITE))),
    ...able(CAP_SYS_ADMIN),
  }),
  [
    "Drop and execute new binary in container",
    inside(starts("/tmp/x", ["x"], { upperLayer: true })),
    inside(starts("/tmp/x", ["x"], { upperLayer: false })),
  ],
  [
    "Change namespace privileges via unshare",
    inside(by("/opt/x", splits)),
    inside({ ...by("/opt/x", splits), ...able(CAP_SYS_ADMIN) }),
  ],
  ["Launch Privileged Container", inside(started(), PRIVILEGED), inside(started())],
  [
    "Launch Excessively Capable Container",
    inside(started({ capabilitiesPermitted: CAP_NET_ADMIN })),
    inside(started({ capabilitiesPermitted: 0n })),
  ],
  only("Contact EC2 Instance Metadata Service From Container", TO_CLOUD),
  [
    "Contact cloud metadata service from container",
    inside(TO_CLOUD),
    inside(TO_CLOUD, { ...CONTAINER, pod: { namespace: "kube-system" } }),
  ],
  only("Launch Package Management Process in Container", runs("/sbin/apk", "add", "curl")),
  only("Launch Suspicious Network Tool in Container", runs("/usr/bin/nmap", "10.0.0.0/8")),
  only("Launch Remote File Copy Tools in Container", runs("/usr/bin/rsync", "a", "b:")),
  [
    "Mount Launched in Privileged Container",
    inside(runs("/bin/mount", "/dev/sda1", "/mnt"), PRIVILEGED),
    inside(runs("/bin/mount", "-l"), PRIVILEGED),
  ],
  only("Launch Ingress Remote File Copy Tools in Container", runs("/usr/bin/wget", "http://203.0.113.9/x")),
  only("Read environment variable from /proc files", by(READER, opens("/proc/1/environ"))),
  only("Exfiltrating Artifacts via Kubernetes Control Plane", by("/bin/tar", opens("/srv/secret"), SHIM)),
  ["Launch Sensitive Mount Container", inside(started(), WITH_SOCKET), inside(started())],
  only("Unexpected K8s NodePort Connection", by("/opt/x", connects("203.0.113.9", 30001))),
  only("Kubernetes Client Tool Launched in Container", runs("/usr/bin/kubectl", "get", "secrets")),
  [
    "Container Drift Detected (chmod)",
    inside(by("/bin/chmod", withMode(0o755))),
    inside(by("/bin/chmod", withMode(0o644))),
  ],
  [
    "Container Drift Detected (open+create)",
    inside(by("/opt/x", makesProgram(0o755))),
    inside(by("/opt/x", makesProgram(0o644))),
  ],
  ["Container Run as Root User", inside(ofRoot(started())), inside(started())],
  only("Modify Container Entrypoint", by("/opt/x", opens("/proc/self/exe", O_WRITE))),
  only("Decoding Payload in Container", runs("/usr/bin/base64", "-d")),
  only(
    "Network Tool Executed During NPM Package Install",
    starts("/bin/nc", ["nc", "203.0.113.9", "80"], {}, program("/usr/bin/npm")),
  ),
  only("Privileged Container Device Access", by(READER, opens("/dev/sda1"))),
  only("Container Access to Host Sensitive Paths", by(READER, opens("/host/etc/shadow"))),
];
