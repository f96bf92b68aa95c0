// Tells from the path of a cgroup which container it is: each runtime names its cgroups in a way of its own.

/** What a path says. */
export interface Shape {
  /** The runtime's whole id: 64 hexadecimal digits, or a name where the runtime goes by names. */
  fullId: string;
  /** Whose form it is, as Container.runtime has it; "" where several runtimes use it. */
  runtime: string;
  /** The uid of its pod, in the API's form; "" where the path names none. */
  podUid: string;
  /**
   * The path's form alone says that it is a container. Else a process may be in it or not: only a runtime that knows
   * the id can tell, for hosts have cgroups that are called like ids.
   */
  isCertain: boolean;
}

/** A form of a cgroup's own name; `id` of the groups is the container's. */
interface Form {
  runtime: string;
  name: RegExp;
  /** What the cgroup above must be called; without it anything. */
  parent?: RegExp;
  /** The name is escaped as systemd escapes those of units: "\x2d" for "-". */
  isEscaped?: true;
}

const HEX = "(?<id>[0-9a-f]{64})";
const NAME = "(?<id>[A-Za-z0-9][\\w.+-]*)";
const form = (pattern: string): RegExp => new RegExp(`^${pattern}$`);

/** A pod's own cgroup: "pod<uid>", or with systemd "kubepods-burstable-pod<uid>.slice", dashes written as "_". */
const POD = /(?:^|-)pod(?<uid>[0-9a-f]{8}(?:[-_]?[0-9a-f]{4}){3}[-_]?[0-9a-f]{12})(?:\.slice)?(?:$|:)/;

/**
 * The forms, the more special first. systemd's scopes carry the runtime's name; where a runtime makes cgroups itself it
 * is the name, or the folder above. With "slice:prefix:id" a runtime was told systemd's form and makes cgroups itself.
 */
const FORMS: readonly Form[] = [
  { runtime: "docker", name: form(`(?:.*:)?docker[-:]${HEX}(?:\\.scope)?`) },
  { runtime: "docker", name: form(HEX), parent: /^docker$/ },
  // Amazon's agent gives Docker a folder a task.
  { runtime: "docker", name: form(HEX), parent: /^[0-9a-f]{32}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ },
  { runtime: "containerd", name: form(`(?:.*:)?(?:cri-containerd|nerdctl)[-:]${HEX}(?:\\.scope)?`) },
  { runtime: "cri-o", name: form(`(?:.*:)?crio[-:]${HEX}(?:\\.scope)?`) },
  // "payload" is beside the supervisor where the cgroup of a systemd service is split.
  { runtime: "podman", name: form(`(?:.*:)?libpod(?:-payload)?[-:]${HEX}(?:\\.scope)?`) },
  { runtime: "podman", name: form(HEX), parent: /^libpod_parent$/ },
  { runtime: "runc", name: form(`runc-${NAME}\\.scope`) },
  { runtime: "crun", name: form(`crun-${NAME}\\.scope`) },
  { runtime: "lxc", name: /^lxc\.payload\.(?<id>.+)$/ },
  { runtime: "lxc", name: /^(?<id>[^.].*)$/, parent: /^lxc$/ },
  { runtime: "lxc", name: /^machine-lxc\\x2d\d+\\x2d(?<id>.+)\.scope$/, isEscaped: true },
  // Those of virtual machines are called machine-qemu\x2d…; their processes are the host's.
  { runtime: "systemd-nspawn", name: /^machine-(?!qemu\\x2d)(?<id>.+)\.scope$/, isEscaped: true },
  { runtime: "systemd-nspawn", name: /^systemd-nspawn@(?<id>.+)\.service$/, isEscaped: true },
  // Docker, containerd and CRI-O all make these for the kubelet.
  { runtime: "", name: form(HEX), parent: POD },
];

/** Processes that look after a container from outside of it: whatever is above counts. */
const KEEPERS = [/^(?:libpod|crio)-conmon-/, /^lxc\.(?:monitor\.|pivot$)/];
/** The same in the container's own cgroup: systemd-nspawn's process, and Podman's of a service that is split. */
const SUPERVISOR = /^supervisor$/;

/** How units of systemd are called: no runtime that goes by names alone gives such. */
const UNIT = /\.(?:slice|scope|service|socket|mount|swap|automount|timer|path|target)$/;
/** Cgroups that runtimes make within a container's, and the kubelet's above them. */
const INNER = /^(?:container|payload|init|supervisor|lxc\.pivot|kubelet|kubepods|burstable|besteffort)$/;
/** No runtime's id is longer; a cgroup's name is at most 255 bytes. */
const ID_CHARACTERS_MAX = 255;

/** What the path of a cgroup says; undefined where it is none of a container. The innermost container counts. */
export function shapeOf(path: string): Shape | undefined {
  const names = path.split("/").filter((name) => name !== "");
  let last = names.length - 1;
  if (SUPERVISOR.test(names[last] ?? "")) last -= 2;
  for (let at = last; at >= 0; at--) {
    const name = names[at] as string;
    if (KEEPERS.some((keeper) => keeper.test(name))) continue;
    const found = certain(name, names[at - 1] ?? "");
    if (found) return { ...found, podUid: podUidOf(names.slice(0, at + 1)), isCertain: true };
  }
  return candidate(names);
}

function certain(name: string, parent: string): Pick<Shape, "fullId" | "runtime"> | undefined {
  for (const { runtime, name: pattern, parent: above, isEscaped } of FORMS) {
    const id = pattern.exec(name)?.groups?.id;
    if (id === undefined || (above && !above.test(parent))) continue;
    return { fullId: isEscaped ? unescapeUnit(id) : id, runtime };
  }
  return undefined;
}

/** The innermost cgroup that is no unit: runc and crun, and ctr, call it by the container's id. */
function candidate(names: readonly string[]): Shape | undefined {
  const fullId = names.findLast((name) => !UNIT.test(name) && !INNER.test(name) && !POD.test(name));
  if (fullId === undefined || fullId.length > ID_CHARACTERS_MAX) return undefined;
  return { fullId, runtime: "", podUid: podUidOf(names), isCertain: false };
}

function podUidOf(names: readonly string[]): string {
  for (const name of names.toReversed()) {
    const digits = POD.exec(name)?.groups?.uid;
    if (digits === undefined) continue;
    // Of a static pod it is a digest, without dashes.
    return digits.replaceAll("_", "-");
  }
  return "";
}

/** systemd.unit(5), "String Escaping for Inclusion in Unit Names". */
function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
