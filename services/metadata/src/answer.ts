// Answers what a container is: its runtime's part, then its pod's, which fills in what no runtime told.
import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Container,
  type ContainerRequest,
  ContainerRequestSchema,
  type ContainerResponse,
  ContainerResponseSchema,
  ContainerSchema,
  MissingReason,
  shortContainerId,
} from "@nightjar/proto";
import { containerOf } from "./kubernetes/pod-container.ts";
import { mergeContainers } from "./merge.ts";
import type { PodSource } from "./pods.ts";
import type { ContainerQuery } from "./runtime.ts";

/** A longer one is nobody's, and would only take memory. */
const ID_CHARACTERS_MAX = 256;
const POD_UID_CHARACTERS_MAX = 64;

/** What the runtimes know of a container; the reason is given where it is not all. */
export interface Found {
  container?: Container;
  missing?: MissingReason;
  explanation?: string;
}

/** Resolves within a bounded time and never rejects. */
export type FindContainer = (query: ContainerQuery) => Promise<Found>;

interface Sources {
  findContainer: FindContainer;
  pods: PodSource;
}

/** Turns an encoded ContainerRequest into an encoded ContainerResponse; what is none is answered as BAD_REQUEST. */
export async function answerContainer(bytes: Uint8Array, sources: Sources): Promise<Uint8Array> {
  const query = readRequest(bytes);
  const response = query
    ? await describe(query, sources)
    : create(ContainerResponseSchema, { missing: MissingReason.BAD_REQUEST, explanation: "no ContainerRequest" });
  return toBinary(ContainerResponseSchema, response);
}

function readRequest(bytes: Uint8Array): ContainerQuery | undefined {
  let request: ContainerRequest;
  try {
    request = fromBinary(ContainerRequestSchema, bytes);
  } catch {
    return undefined;
  }
  const { id, runtime, podUid, pid } = request;
  if (id === "" || id.length > ID_CHARACTERS_MAX || podUid.length > POD_UID_CHARACTERS_MAX) return undefined;
  return { id, runtime, podUid, pid };
}

async function describe(query: ContainerQuery, { findContainer, pods }: Sources): Promise<ContainerResponse> {
  const found = await findContainer(query);
  const container = found.container ? clone(ContainerSchema, found.container) : create(ContainerSchema);
  container.id = shortContainerId(query.id);
  container.fullId = query.id;
  container.runtime = query.runtime || container.runtime;
  const pod = await pods.find(query, container);
  const specified = pod.is === "pod" ? containerOf(pod.pod, query.id) : undefined;
  const whole = specified ? (mergeContainers([container, specified]) ?? container) : container;
  if (pod.is === "pod") whole.pod = pod.pod;
  const { missing = MissingReason.UNSPECIFIED, explanation = "" } = found;
  const podMissing = pod.is === "missing" && missing === MissingReason.UNSPECIFIED;
  return create(ContainerResponseSchema, {
    // A name that nobody knows is not made a container by having been asked for.
    ...((found.container || pod.is === "pod") && { container: whole }),
    ...(podMissing ? { missing: MissingReason.NO_POD, explanation: pod.why } : { missing, explanation }),
  });
}
