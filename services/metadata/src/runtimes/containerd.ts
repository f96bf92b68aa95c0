// containerd's own API: containers of all its namespaces, which are those of Kubernetes, nerdctl and ctr.
// https://github.com/containerd/containerd/tree/main/api
import { create, fromBinary } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { type Container, ContainerSchema } from "@nightjar/proto";
import { Containers, type Container as Stored } from "@nightjar/proto/containerd/services/containers/v1/containers";
import { ContainerEventSchema, Events } from "@nightjar/proto/containerd/services/events/v1/events";
import { Images } from "@nightjar/proto/containerd/services/images/v1/images";
import { Namespaces } from "@nightjar/proto/containerd/services/namespaces/v1/namespace";
import { Snapshots } from "@nightjar/proto/containerd/services/snapshots/v1/snapshots";
import { parseImageName } from "../formats/image-name.ts";
import { parseJson } from "../formats/json.ts";
import { readSpec } from "../formats/oci-spec.ts";
import { timestampNs } from "../formats/time.ts";
import { ofUsers } from "../places.ts";
import type { ContainerQuery, Runtime, RuntimeKind, RuntimeOptions } from "../runtime.ts";
import { type UnixTransport, unixTransport, unlessMissing } from "../unix-grpc.ts";

export const containerd: RuntimeKind = {
  name: "containerd",
  serves: ["containerd"],
  places: () => [
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/docker/containerd/containerd.sock",
    ...ofUsers("containerd/containerd.sock"),
  ],
  open: (socket, options) => new Containerd(unixTransport(socket), options),
};

/** The header that says in whose name a call is made. */
const NAMESPACE_HEADER = "containerd-namespace";
const NAMESPACES_MAX = 16;
const TOPICS = ["/containers/create", "/containers/update", "/tasks/start", "/containers/delete"];
const UPPER_OPTION = "upperdir=";

/** Docker's, which knows more of its containers than it tells containerd. */
const FOREIGN_NAMESPACES = new Set(["moby"]);

type Options = { signal: AbortSignal; headers: Record<string, string> };

class Containerd implements Runtime {
  readonly #connection: UnixTransport;
  readonly #options: RuntimeOptions;
  readonly #containers: Client<typeof Containers>;
  readonly #images: Client<typeof Images>;
  readonly #snapshots: Client<typeof Snapshots>;
  readonly #namespaces: Client<typeof Namespaces>;
  readonly #events: Client<typeof Events>;

  constructor(connection: UnixTransport, options: RuntimeOptions) {
    this.#connection = connection;
    this.#options = options;
    const { transport } = connection;
    this.#containers = createClient(Containers, transport);
    this.#images = createClient(Images, transport);
    this.#snapshots = createClient(Snapshots, transport);
    this.#namespaces = createClient(Namespaces, transport);
    this.#events = createClient(Events, transport);
  }

  async inspect({ id }: ContainerQuery, signal: AbortSignal): Promise<Container | undefined> {
    const { namespaces } = await this.#namespaces.list({}, { signal });
    const names = namespaces.map(({ name }) => name).filter((name) => !FOREIGN_NAMESPACES.has(name));
    const found = await Promise.all(names.slice(0, NAMESPACES_MAX).map((name) => this.#inspectIn(name, id, signal)));
    return found.find((one) => one !== undefined);
  }

  async watch(changed: (id: string) => void, signal: AbortSignal): Promise<void> {
    const filters = TOPICS.map((topic) => `topic=="${topic}"`);
    for await (const { event, namespace } of this.#events.subscribe({ filters }, { signal })) {
      if (!event || FOREIGN_NAMESPACES.has(namespace)) continue;
      changed(fromBinary(ContainerEventSchema, event.value).containerId);
    }
  }

  close(): void {
    this.#connection.close();
  }

  async #inspectIn(namespace: string, id: string, signal: AbortSignal): Promise<Container | undefined> {
    const options: Options = { signal, headers: { [NAMESPACE_HEADER]: namespace } };
    const stored = (await unlessMissing(this.#containers.get({ id }, options)))?.container;
    if (!stored) return undefined;
    const [digest, upperFolder] = await Promise.all([this.#digest(stored, options), this.#upper(stored, options)]);
    return readContainer(stored, { digest, upperFolder }, this.#options);
  }

  async #digest({ image }: Stored, options: Options): Promise<string> {
    if (image === "") return "";
    const told = await unlessMissing(this.#images.get({ name: image }, options));
    return told?.image?.target?.digest ?? "";
  }

  async #upper({ snapshotter, snapshotKey: key }: Stored, options: Options): Promise<string> {
    if (key === "") return "";
    const told = await unlessMissing(this.#snapshots.mounts({ snapshotter, key }, options));
    const upper = told?.mounts.flatMap((mount) => mount.options).find((one) => one.startsWith(UPPER_OPTION));
    return upper?.slice(UPPER_OPTION.length) ?? "";
  }
}

/** Turns what containerd stores of a container into a Container. */
export function readContainer(
  stored: Stored,
  more: { digest: string; upperFolder: string },
  options: RuntimeOptions,
): Container {
  const spec = readSpec(parseJson(Buffer.from(stored.spec?.value ?? []).toString()), options);
  const { repository, tag, digest } = parseImageName(stored.image);
  return create(ContainerSchema, {
    ...spec,
    name: stored.labels["io.kubernetes.container.name"] || stored.labels["nerdctl/name"] || spec.name || stored.id,
    runtime: "containerd",
    image: stored.image,
    imageRepository: repository,
    imageTag: tag,
    imageDigest: more.digest || digest,
    labels: stored.labels,
    createdTimeNs: timestampNs(stored.createdAt),
    upperFolder: more.upperFolder,
  });
}
