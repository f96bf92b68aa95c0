// Kubernetes' Container Runtime Interface, which CRI-O and containerd offer to the kubelet: containers and their
// sandboxes, whose network and namespaces they share.
import { create } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { type Container, ContainerSchema } from "@nightjar/proto";
import {
  type ContainerStatus,
  NamespaceMode,
  type PodSandboxStatus,
  RuntimeService,
} from "@nightjar/proto/runtime/v1/api";
import { isImageId, parseImageName } from "../formats/image-name.ts";
import { at, parseJson, textAt } from "../formats/json.ts";
import { readSpec } from "../formats/oci-spec.ts";
import type { ContainerQuery, Runtime, RuntimeKind, RuntimeOptions } from "../runtime.ts";
import { type UnixTransport, unixTransport, unlessMissing } from "../unix-grpc.ts";

export const cri: RuntimeKind = {
  name: "cri",
  serves: ["cri-o", "containerd"],
  places: () => [
    "/run/crio/crio.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/dockershim.sock",
    "/run/cri-dockerd.sock",
  ],
  open: (socket, options) => new Cri(unixTransport(socket), { ...options, runtime: runtimeOf(socket) }),
};

/** What sockets are called, and whose they are as Container.runtime has it. */
const OWNERS: readonly (readonly [part: string, runtime: string])[] = [
  ["crio", "cri-o"],
  ["dockerd", "docker"],
  ["dockershim", "docker"],
  ["containerd", "containerd"],
];

interface CriOptions extends RuntimeOptions {
  /** The value of Container.runtime. */
  runtime: string;
}

function runtimeOf(socket: string): string {
  return OWNERS.find(([part]) => socket.includes(part))?.[1] ?? "";
}

class Cri implements Runtime {
  readonly #connection: UnixTransport;
  readonly #client: Client<typeof RuntimeService>;
  readonly #options: CriOptions;

  constructor(connection: UnixTransport, options: CriOptions) {
    this.#connection = connection;
    this.#client = createClient(RuntimeService, connection.transport);
    this.#options = options;
  }

  async inspect({ id }: ContainerQuery, signal: AbortSignal): Promise<Container | undefined> {
    const asked = { containerId: id, verbose: true };
    const told = await unlessMissing(this.#client.containerStatus(asked, { signal }));
    if (!told?.status) return this.#sandbox(id, signal);
    const info = parseJson(told.info.info ?? "");
    const sandboxId = textAt(info, "sandboxID");
    const sandbox = sandboxId === "" ? undefined : await this.#sandbox(sandboxId, signal);
    const container = readStatus(told.status, info, this.#options);
    container.sandboxId = sandboxId;
    if (sandbox) shareNamespaces(container, sandbox);
    return container;
  }

  async watch(changed: (id: string) => void, signal: AbortSignal): Promise<void> {
    for await (const { containerId } of this.#client.getContainerEvents({}, { signal })) changed(containerId);
  }

  close(): void {
    this.#connection.close();
  }

  async #sandbox(id: string, signal: AbortSignal): Promise<Container | undefined> {
    const asked = { podSandboxId: id, verbose: true };
    const told = await unlessMissing(this.#client.podSandboxStatus(asked, { signal }));
    return told?.status && readSandbox(told.status, parseJson(told.info.info ?? ""), this.#options);
  }
}

/** Turns a container's status, and what the runtime adds as JSON, into a Container. */
export function readStatus(status: ContainerStatus, info: unknown, options: CriOptions): Container {
  const container = readSpec(at(info, "runtimeSpec"), options);
  const given = status.image?.image ?? "";
  const ref = parseImageName(status.imageRef);
  const name = isImageId(given) || given === "" ? status.imageRef : given;
  const { repository, tag, digest } = parseImageName(name);
  const privileged = at(info, "privileged") ?? at(info, "config", "linux", "security_context", "privileged");
  return create(ContainerSchema, {
    ...container,
    name: status.metadata?.name ?? "",
    runtime: options.runtime,
    image: name,
    imageRepository: repository || ref.repository,
    imageTag: tag,
    imageDigest: digest || ref.digest,
    imageId: status.imageId || (isImageId(given) ? given : ""),
    labels: status.labels,
    createdTimeNs: timeOf(status.createdAt),
    startedTimeNs: timeOf(status.startedAt),
    ...(typeof privileged === "boolean" && { privileged }),
  });
}

/** Turns a sandbox's status into a Container. */
export function readSandbox(status: PodSandboxStatus, info: unknown, options: CriOptions): Container {
  const container = readSpec(at(info, "runtimeSpec"), options);
  const modes = status.linux?.namespaces?.options;
  const cniResult = at(info, "cniResult");
  const image = container.image || textAt(info, "image");
  const { repository, tag, digest } = parseImageName(image);
  return create(ContainerSchema, {
    ...container,
    name: status.metadata?.name ?? "",
    runtime: options.runtime,
    image,
    imageRepository: repository,
    imageTag: tag,
    imageDigest: digest,
    labels: status.labels,
    createdTimeNs: timeOf(status.createdAt),
    ip: status.network?.ip ?? "",
    ...(modes && {
      hostPid: modes.pid === NamespaceMode.NODE,
      hostNetwork: modes.network === NamespaceMode.NODE,
      hostIpc: modes.ipc === NamespaceMode.NODE,
    }),
    cniResult: cniResult === undefined ? "" : JSON.stringify(cniResult),
    sandboxId: status.id,
    isSandbox: true,
  });
}

/** A container has its sandbox's network, and of the other namespaces those that the sandbox took from the host. */
function shareNamespaces(container: Container, sandbox: Container): void {
  container.ip = sandbox.ip;
  container.cniResult = sandbox.cniResult;
  container.hostNetwork = sandbox.hostNetwork ?? false;
  container.hostIpc = sandbox.hostIpc ?? false;
  container.hostPid = sandbox.hostPid ?? false;
}

function timeOf(ns: bigint): bigint {
  return ns > 0n ? ns : 0n;
}
