// Reads an OCI runtime specification (config.json), which runc, crun, containerd and CRI-O all start containers from.
import { create } from "@bufbuild/protobuf";
import { type Container, type ContainerMount, ContainerMountSchema, ContainerSchema } from "@nightjar/proto";
import { parseImageName } from "./image-name.ts";
import { at, listAt, mapAt, textAt, textsAt } from "./json.ts";

/** Where those who make a specification write what it was made from; the first that is there counts. */
const ANNOTATIONS = {
  image: [
    "io.kubernetes.cri.image-name",
    "io.kubernetes.cri-o.ImageName",
    "io.podman.annotations.image",
    "org.opencontainers.image.ref.name",
  ],
  name: ["io.kubernetes.cri.container-name", "io.kubernetes.container.name", "io.kubernetes.cri-o.Name"],
  sandbox: ["io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID"],
  kind: ["io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"],
} as const;

const PROPAGATIONS = new Set(["shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable"]);
/** These the runtime makes; they tell nothing of the host. */
const MADE_TYPES = new Set(["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"]);

/** What a specification tells of its container; without its id, and without its environment unless asked for. */
export function readSpec(spec: unknown, options: { environment: boolean }): Container {
  const annotations = mapAt(spec, "annotations");
  const annotation = (names: readonly string[]) => names.map((name) => annotations[name]).find(Boolean) ?? "";
  const image = annotation(ANNOTATIONS.image);
  const { repository, tag, digest } = parseImageName(image);
  return create(ContainerSchema, {
    name: annotation(ANNOTATIONS.name),
    image,
    imageRepository: repository,
    imageTag: tag,
    imageDigest: digest,
    mounts: listAt(spec, "mounts").flatMap(readMount),
    capabilities: textsAt(spec, "process", "capabilities", "bounding"),
    privileged: isPrivileged(spec),
    environment: options.environment ? textsAt(spec, "process", "env") : [],
    hostPid: isHosts(spec, "pid"),
    hostNetwork: isHosts(spec, "network"),
    hostIpc: isHosts(spec, "ipc"),
    sandboxId: annotation(ANNOTATIONS.sandbox),
    isSandbox: annotation(ANNOTATIONS.kind) === "sandbox",
  });
}

function readMount(mount: unknown): ContainerMount[] {
  if (MADE_TYPES.has(textAt(mount, "type"))) return [];
  const options = textsAt(mount, "options");
  return [
    create(ContainerMountSchema, {
      source: textAt(mount, "source"),
      destination: textAt(mount, "destination"),
      mode: options.includes("ro") ? "ro" : "",
      writable: !options.includes("ro"),
      propagation: options.find((one) => PROPAGATIONS.has(one)) ?? "",
    }),
  ];
}

/** A kind of namespace that is not listed is the host's. */
function isHosts(spec: unknown, type: string): boolean {
  return !listAt(spec, "linux", "namespaces").some((one) => textAt(one, "type") === type);
}

/**
 * No engine writes the word into the specification. What `--privileged` does to it no other option does together: the
 * administrator's capability, nothing of /proc hidden, and a /sys that can be written.
 */
function isPrivileged(spec: unknown): boolean {
  const sysfs = listAt(spec, "mounts").find((mount) => textAt(mount, "type") === "sysfs");
  return (
    textsAt(spec, "process", "capabilities", "bounding").includes("CAP_SYS_ADMIN") &&
    listAt(spec, "linux", "maskedPaths").length === 0 &&
    at(spec, "linux") !== undefined &&
    !(sysfs && textsAt(sysfs, "options").includes("ro"))
  );
}
