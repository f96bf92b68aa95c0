// What Podman and CRI-O keep of their containers on disk (containers/storage): names and images, also where no service
// of theirs runs.
import { statSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Container, ContainerSchema } from "@nightjar/proto";
import { parseImageName } from "../formats/image-name.ts";
import { listAt, parseJson, textAt, textsAt } from "../formats/json.ts";
import { readSpec } from "../formats/oci-spec.ts";
import { timeNs } from "../formats/time.ts";
import { homesOfUsers, ofUsers } from "../places.ts";
import type { ContainerQuery, Runtime, RuntimeKind, RuntimeOptions } from "../runtime.ts";
import { isFileName, readSmall } from "../small-file.ts";

export const containersStorage: RuntimeKind = {
  name: "storage",
  serves: ["podman", "cri-o"],
  standsIn: true,
  places: () => [
    "/var/lib/containers/storage",
    // Containers that are not to outlive a reboot are listed here.
    "/run/containers/storage",
    ...homesOfUsers().map((home) => join(home, ".local/share/containers/storage")),
    ...ofUsers("containers"),
  ],
  open: (folder, options) => new ContainersStorage(folder, options),
};

/** The lists of containers: those that stay, and those of `--rm`. */
const LISTS = ["overlay-containers/containers.json", "overlay-containers/volatile-containers.json"];

class ContainersStorage implements Runtime {
  readonly #folder: string;
  readonly #options: RuntimeOptions;
  /** A list as it was read last, with the time of its file. */
  readonly #lists = new Map<string, { mtimeMs: number; entries: readonly unknown[] }>();

  constructor(folder: string, options: RuntimeOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async inspect({ id }: ContainerQuery): Promise<Container | undefined> {
    if (!isFileName(id)) return undefined;
    for (const list of LISTS) {
      const entry = this.#entries(list).find((one) => textAt(one, "id") === id);
      if (entry === undefined) continue;
      const bundle = join(this.#folder, "overlay-containers", id, "userdata", "config.json");
      return readEntry(entry, parseJson(readSmall(bundle) ?? ""), this.#options);
    }
    return undefined;
  }

  #entries(list: string): readonly unknown[] {
    const file = join(this.#folder, list);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) return [];
    const known = this.#lists.get(list);
    if (known?.mtimeMs === found.mtimeMs) return known.entries;
    const entries = listAt({ entries: parseJson(readSmall(file) ?? "") }, "entries");
    this.#lists.set(list, { mtimeMs: found.mtimeMs, entries });
    return entries;
  }
}

/** Turns an entry of the list, and the specification beside it where it was found, into a Container. */
export function readEntry(entry: unknown, spec: unknown, options: RuntimeOptions): Container {
  // What Podman and CRI-O say of a container is JSON inside the JSON.
  const metadata = parseJson(textAt(entry, "metadata"));
  const container = readSpec(spec, options);
  const image = textAt(metadata, "image-name") || container.image;
  const { repository, tag, digest } = parseImageName(image);
  const imageId = textAt(entry, "image");
  return create(ContainerSchema, {
    ...container,
    name: textAt(metadata, "name") || (textsAt(entry, "names")[0] ?? ""),
    image,
    imageRepository: repository,
    imageTag: tag,
    imageDigest: digest,
    imageId: imageId === "" ? "" : `sha256:${imageId}`,
    createdTimeNs: timeNs(textAt(entry, "created")),
  });
}
