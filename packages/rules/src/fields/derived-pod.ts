// The fields of the actor's pod that are worked out: labels, its namespace, and the workloads that own it.
import type { DescField } from "@bufbuild/protobuf";
import { ContainerSchema, PodContainerSchema, PodSchema, WorkloadSchema } from "@nightjar/proto";
import type { ContainerView, EventView } from "../engine/event-view.ts";
import { decodeText, Message } from "../engine/message.ts";
import { newCacheKey, type Value } from "./definition.ts";
import type { ValueType } from "./known.ts";
import { listLabels, mapReader } from "./map.ts";
import { EVERY_EVENT, type ServedField } from "./served.ts";

const CONTAINER = ContainerSchema.field;
const POD = PodSchema.field;
const WORKLOAD = WorkloadSchema.field;
const POD_CONTAINER = PodContainerSchema.field;
/** As many characters as tools show of an id. */
const SHORT_ID_CHARACTERS = 12;

/** Reads from an encoded Pod, Workload or the like; `argument` is what stands in brackets. */
type Read = (message: Message, argument: string) => Value;

/** The kinds of workloads that have fields of their own in Falco's language. */
const KINDS = [
  ["k8s.deployment", "Deployment"],
  ["k8s.rs", "ReplicaSet"],
  ["k8s.rc", "ReplicationController"],
] as const;

/** A field of the container that belongs to a pod; worked out once for all events of the container in a batch. */
function row(name: string, from: string, get: (container: ContainerView, argument: string) => Value): ServedField {
  return {
    name,
    from,
    events: EVERY_EVENT,
    getter: (argument = "") => {
      const key = newCacheKey();
      return (view: EventView) => {
        const container = view.container();
        if (!container?.pod) return undefined;
        if (!(key in container.cache)) container.cache[key] = get(container, argument);
        return container.cache[key] as Value;
      };
    },
  };
}

function podRow(name: string, field: DescField, read: Read): ServedField {
  return row(name, `Pod.${field.name}`, ({ pod }, argument) => pod && read(pod.message, argument));
}

function ownRow(name: string, type: ValueType, from: string, get: (container: ContainerView) => Value): ServedField {
  return { ...row(`nightjar.pod.${name}`, from, get), type };
}

/** The value of one label, and all of them as a list. */
function labels(field: DescField): { one: Read; all: Read } {
  const read = mapReader(field);
  return { one: (message, key) => read(message).get(key), all: (message) => listLabels(read(message)) };
}

/** The first message of a repeated field that fits. What it gives holds until it is called again. */
function find({ number }: DescField, fits: (one: Message) => boolean): (message: Message) => Message | undefined {
  const one = new Message();
  return (message) => {
    const bounds = message.occurrences(number);
    for (let at = 0; at < bounds.length; at += 2) {
      one.load(message.bytes, bounds[at] as number, bounds[at + 1] as number);
      if (fits(one)) return one;
    }
    return undefined;
  };
}

function workloadRows(prefix: string, kind: string): ServedField[] {
  const owner = find(POD.owners, (one) => one.text(WORKLOAD.kind.number) === kind);
  const { one, all } = labels(WORKLOAD.labels);
  const parts: readonly [part: string, field: DescField, read: Read][] = [
    ["name", WORKLOAD.name, (workload) => workload.text(WORKLOAD.name.number)],
    ["id", WORKLOAD.uid, (workload) => workload.text(WORKLOAD.uid.number)],
    ["label", WORKLOAD.labels, one],
    ["labels", WORKLOAD.labels, all],
  ];
  return parts.map(([part, field, read]) =>
    row(`${prefix}.${part}`, `Workload.${field.name} of the pod's ${kind}`, ({ pod }, argument) => {
      const workload = pod && owner(pod.message);
      return workload && read(workload, argument);
    }),
  );
}

/** A text of the workload at the end of the line of owners: what a person has written down. */
function topOwner({ number }: DescField): (container: ContainerView) => Value {
  const workload = new Message();
  return ({ pod }) => {
    const bounds = pod?.message.occurrences(POD.owners.number) ?? [];
    if (!pod || bounds.length === 0) return undefined;
    workload.load(pod.message.bytes, bounds.at(-2) as number, bounds.at(-1) as number);
    return workload.text(number);
  };
}

/** What the pod's specification calls the container. */
function containerName({ message, pod }: ContainerView): Value {
  const id = message.text(CONTAINER.fullId.number);
  const fits = (one: Message) => id !== undefined && one.text(POD_CONTAINER.id.number) === id;
  const found = pod && find(POD.containers, fits)(pod.message);
  return found?.text(POD_CONTAINER.name.number);
}

function firstIp(message: Message): Value {
  const [start, stop] = message.occurrences(POD.ips.number);
  return start === undefined || stop === undefined ? undefined : decodeText(message.bytes, start, stop);
}

const podLabels = labels(POD.labels);
const namespaceLabels = labels(POD.namespaceLabels);

export const POD_FIELDS: readonly ServedField[] = [
  podRow("k8s.pod.label", POD.labels, podLabels.one),
  podRow("k8s.pod.labels", POD.labels, podLabels.all),
  podRow("k8s.pod.ip", POD.ips, firstIp),
  podRow("k8s.ns.label", POD.namespaceLabels, namespaceLabels.one),
  podRow("k8s.ns.labels", POD.namespaceLabels, namespaceLabels.all),
  row("k8s.pod.full_sandbox_id", "Container.sandbox_id", ({ message }) => message.text(CONTAINER.sandboxId.number)),
  row("k8s.pod.sandbox_id", "Container.sandbox_id", ({ message }) =>
    message.text(CONTAINER.sandboxId.number)?.slice(0, SHORT_ID_CHARACTERS),
  ),
  row("k8s.pod.cni.json", "Container.cni_result", ({ message }) => message.text(CONTAINER.cniResult.number)),
  ...KINDS.flatMap(([prefix, kind]) => workloadRows(prefix, kind)),
  ownRow("owner.kind", "string", "Workload.kind of the last of the pod's owners", topOwner(WORKLOAD.kind)),
  ownRow("owner.name", "string", "Workload.name of the last of the pod's owners", topOwner(WORKLOAD.name)),
  ownRow("container", "string", "PodContainer.name of the container", containerName),
];
