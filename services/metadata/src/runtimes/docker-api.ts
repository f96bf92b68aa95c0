// Docker's Engine API, which Podman speaks too: inspecting containers and images, and the stream of events.
// https://docs.docker.com/reference/api/engine/
import { create } from "@bufbuild/protobuf";
import { type Container, ContainerMountSchema, ContainerSchema } from "@nightjar/proto";
import { isImageId, parseImageName } from "../formats/image-name.ts";
import { at, listAt, mapAt, parseJson, textAt, textsAt } from "../formats/json.ts";
import { timeNs } from "../formats/time.ts";
import type { ContainerQuery, Runtime, RuntimeOptions } from "../runtime.ts";
import { getJson, getLines } from "../unix-http.ts";

/** A host has some hundred images at most; beyond, the oldest are asked for again. */
const IMAGES_MAX = 1_024;

/** What changes what is known of a container: its being there, its name, when it runs and in which networks. */
const ACTIONS = ["create", "start", "rename", "update", "destroy", "remove"];
const EVENTS = `/events?filters=${encodeURIComponent(JSON.stringify({ type: ["container"], event: ACTIONS }))}`;

/** Every container has these unless they are taken away; the engine does not list them (moby oci/caps/defaults.go). */
const DEFAULT_CAPABILITIES = [
  ...["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID"],
  ...["CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL"],
  "CAP_AUDIT_WRITE",
];

interface Image {
  names: string[];
  digests: string[];
}

export class DockerApi implements Runtime {
  readonly #runtime: string;
  readonly #socket: string;
  readonly #options: RuntimeOptions;
  readonly #images = new Map<string, Image>();

  /** `runtime` is the value of Container.runtime: "docker" or "podman". */
  constructor(runtime: string, socket: string, options: RuntimeOptions) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#options = options;
  }

  async inspect({ id }: ContainerQuery, signal: AbortSignal): Promise<Container | undefined> {
    const told = await getJson(this.#socket, `/containers/${encodeURIComponent(id)}/json`, signal);
    if (told === undefined) return undefined;
    const image = await this.#image(textAt(told, "Image"), signal);
    return readInspection(told, image, { ...this.#options, runtime: this.#runtime });
  }

  async watch(changed: (id: string) => void, signal: AbortSignal): Promise<void> {
    for await (const line of getLines(this.#socket, EVENTS, signal)) {
      const id = textAt(parseJson(line), "Actor", "ID");
      if (id) changed(id);
    }
  }

  /** An image's names may be given to another later, but what a container was made from was called so. */
  async #image(id: string, signal: AbortSignal): Promise<Image> {
    const known = this.#images.get(id);
    if (known) return known;
    // An image may have been removed under its container.
    const told = id && (await getJson(this.#socket, `/images/${encodeURIComponent(id)}/json`, signal));
    const image = { names: textsAt(told, "RepoTags"), digests: textsAt(told, "RepoDigests") };
    if (this.#images.size >= IMAGES_MAX) this.#images.delete(this.#images.keys().next().value ?? "");
    this.#images.set(id, image);
    return image;
  }
}

/** Turns an answer to /containers/ID/json, and the names of its image, into a Container. */
export function readInspection(told: unknown, image: Image, options: RuntimeOptions & { runtime: string }): Container {
  const imageId = textAt(told, "Image");
  // Podman says it beside the configuration, Docker in it; a container made from an id has its name from the image.
  const given = textAt(told, "ImageName") || textAt(told, "Config", "Image");
  const name = isImageId(given) || imageId.includes(given) ? (image.names[0] ?? given) : given;
  const { repository, tag, digest } = parseImageName(name);
  const host = (key: string) => textAt(told, "HostConfig", key) === "host";
  return create(ContainerSchema, {
    name: textAt(told, "Name").replace(/^\//, ""),
    runtime: options.runtime,
    image: name,
    imageRepository: repository,
    imageTag: tag,
    imageDigest: digest || digestOf(image, repository),
    imageId: imageId && !imageId.includes(":") ? `sha256:${imageId}` : imageId,
    labels: mapAt(told, "Config", "Labels"),
    createdTimeNs: timeNs(textAt(told, "Created")),
    startedTimeNs: timeNs(textAt(told, "State", "StartedAt")),
    mounts: listAt(told, "Mounts").map(readMount),
    privileged: at(told, "HostConfig", "Privileged") === true,
    capabilities: capabilitiesOf(told),
    environment: options.environment ? textsAt(told, "Config", "Env") : [],
    ip: addressOf(told),
    hostPid: host("PidMode"),
    hostNetwork: host("NetworkMode"),
    hostIpc: host("IpcMode"),
    healthCheck: healthCheckOf(told),
    upperFolder: textAt(told, "GraphDriver", "Data", "UpperDir"),
  });
}

function readMount(mount: unknown) {
  return create(ContainerMountSchema, {
    source: textAt(mount, "Source"),
    destination: textAt(mount, "Destination"),
    mode: textAt(mount, "Mode"),
    writable: at(mount, "RW") === true,
    propagation: textAt(mount, "Propagation"),
  });
}

/** The digest under which the image is known in the repository that the container names. */
function digestOf({ digests }: Image, repository: string): string {
  const named = digests.map(parseImageName);
  return (named.find((one) => one.repository === repository) ?? named[0])?.digest ?? "";
}

function capabilitiesOf(told: unknown): string[] {
  // Podman tells them as they are.
  const bounding = textsAt(told, "BoundingCaps");
  if (bounding.length > 0) return bounding;
  if (at(told, "HostConfig", "Privileged") === true) return ["ALL"];
  const named = (key: string) => textsAt(told, "HostConfig", key).map(capabilityName);
  const [added, dropped] = [named("CapAdd"), named("CapDrop")];
  const kept = dropped.includes("ALL") ? [] : DEFAULT_CAPABILITIES.filter((one) => !dropped.includes(one));
  return [...new Set([...kept, ...added])];
}

function capabilityName(name: string): string {
  const upper = name.toUpperCase();
  return upper === "ALL" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
}

function addressOf(told: unknown): string {
  const networks = at(told, "NetworkSettings", "Networks");
  const names = typeof networks === "object" && networks !== null ? Object.keys(networks) : [];
  const ofNetworks = names.map((name) => textAt(networks, name, "IPAddress"));
  return [textAt(told, "NetworkSettings", "IPAddress"), ...ofNetworks].find(Boolean) ?? "";
}

/** ["CMD-SHELL", "curl …"] as a line; ["NONE"] takes an image's own away. */
function healthCheckOf(told: unknown): string {
  const [how = "", ...command] = textsAt(told, "Config", "Healthcheck", "Test");
  return how === "NONE" ? "" : command.join(" ");
}
