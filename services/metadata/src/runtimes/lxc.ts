// LXC: the folder with a container's configuration, and what its image was made from.
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Container, ContainerMountSchema, ContainerSchema } from "@nightjar/proto";
import type { ContainerQuery, Runtime, RuntimeKind } from "../runtime.ts";
import { isFileName, readSmall } from "../small-file.ts";
import { watchFolder } from "../watch-folder.ts";

export const lxc: RuntimeKind = {
  name: "lxc",
  serves: ["lxc"],
  places: () => ["/var/lib/lxc"],
  open: (folder) => new Lxc(folder),
};

class Lxc implements Runtime {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async inspect({ id }: ContainerQuery): Promise<Container | undefined> {
    if (!isFileName(id)) return undefined;
    const text = readSmall(join(this.#folder, id, "config"));
    return text === undefined ? undefined : readConfiguration(id, text);
  }

  watch(changed: (id: string) => void, signal: AbortSignal): Promise<void> {
    return watchFolder(this.#folder, changed, signal);
  }
}

/** What lxc-create notes of the template: "# Parameters passed to the template: --dist debian --release bookworm". */
const PARAMETERS = /^# Parameters passed to the template:(.*)$/m;
const DISTRIBUTION = /(?:^|\s)(?:-d|--dist)[ =](\S+)/;
const RELEASE = /(?:^|\s)(?:-r|--release)[ =](\S+)/;

/** Reads an LXC configuration: `lxc.…` = value, a line each; lxc.container.conf(5). */
export function readConfiguration(name: string, text: string): Container {
  const lines = text.split("\n").flatMap((line) => {
    const [, key, value] = /^\s*(lxc\.[\w.]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [{ key, value }];
  });
  const all = (key: string) => lines.filter((line) => line.key === key).map((line) => line.value);
  const parameters = PARAMETERS.exec(text)?.[1] ?? "";
  const repository = DISTRIBUTION.exec(parameters)?.[1] ?? "";
  const tag = RELEASE.exec(parameters)?.[1] ?? "";
  return create(ContainerSchema, {
    name,
    runtime: "lxc",
    image: tag === "" ? repository : `${repository}:${tag}`,
    imageRepository: repository,
    imageTag: tag,
    mounts: all("lxc.mount.entry").flatMap(readMount),
    // Without a map of user ids its root is the host's.
    privileged: all("lxc.idmap").length === 0,
    capabilities: all("lxc.cap.keep").flatMap((value) => value.split(/\s+/).map((one) => `CAP_${one.toUpperCase()}`)),
    hostNetwork: all("lxc.net.0.type").includes("none"),
    ip: all("lxc.net.0.ipv4.address")[0]?.split("/")[0] ?? "",
  });
}

/** A line of fstab(5); a relative place is one in the container. */
function readMount(entry: string) {
  const [source = "", place = "", type = "", options = ""] = entry.split(/\s+/);
  const words = options.split(",");
  if (!words.includes("bind") && !words.includes("rbind")) return [];
  const destination = place.startsWith("/") ? place : `/${place}`;
  const writable = !words.includes("ro");
  return [create(ContainerMountSchema, { source, destination, mode: type === "none" ? options : type, writable })];
}
