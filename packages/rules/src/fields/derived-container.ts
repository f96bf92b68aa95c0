// The fields of containers that are worked out: what is outside of them, mounts, labels, probes, and what has drifted.
import { ContainerMountSchema, ContainerSchema, EventSchema, ExecSchema } from "@nightjar/proto";
import type { ContainerView, EventView, ProcessView } from "../engine/event-view.ts";
import { Message } from "../engine/message.ts";
import { compileGlob } from "../language/glob.ts";
import { newCacheKey, type Value } from "./definition.ts";
import { namespaceStartOf } from "./derived-times.ts";
import { listLabels, mapReader } from "./map.ts";
import { EVERY_EVENT, type ServedField } from "./served.ts";

const CONTAINER = ContainerSchema.field;
const MOUNT = ContainerMountSchema.field;
const EXEC = ExecSchema.field;
const EVENT = EventSchema.field;
/** What container.id, name and type are outside of all containers. */
const HOST = "host";
/** What Falco gives for a mount that is not there, which its rules compare with. */
const NO_MOUNT = "N/A";

const readLabels = mapReader(CONTAINER.labels);

type Get = (view: EventView) => Value;
type Of = (container: ContainerView) => Value;

const row = (name: string, from: string, get: Get): ServedField => ({
  name,
  events: EVERY_EVENT,
  from,
  getter: () => get,
});

/** A value that is worked out once for each container of a batch. */
function kept(work: Of): Get {
  const key = newCacheKey();
  return (view) => {
    const container = view.container();
    if (!container) return undefined;
    if (!(key in container.cache)) container.cache[key] = work(container);
    return container.cache[key] as Value;
  };
}

const orHost =
  (number: number): Get =>
  (view) => {
    const container = view.container();
    return container ? container.message.text(number) : HOST;
  };

interface Mount {
  source: string;
  dest: string;
  mode: string;
  rdwr: string;
  propagation: string;
}

const mountsKey = newCacheKey();

/** None where no runtime told of the container: rules ask whether a mount is there, and Falco answers so as well. */
function mountsOf({ cache, message }: ContainerView): readonly Mount[] {
  if (!(mountsKey in cache)) cache[mountsKey] = readMounts(message);
  return cache[mountsKey] as readonly Mount[];
}

function readMounts(container: Message): Mount[] {
  const bounds = container.occurrences(CONTAINER.mounts.number);
  const mounts: Mount[] = [];
  const mount = new Message();
  for (let at = 0; at < bounds.length; at += 2) {
    mount.load(container.bytes, bounds[at] as number, bounds[at + 1] as number);
    mounts.push({
      source: mount.text(MOUNT.source.number) ?? "",
      dest: mount.text(MOUNT.destination.number) ?? "",
      mode: mount.text(MOUNT.mode.number) ?? "",
      rdwr: String(mount.uint(MOUNT.writable.number) !== 0),
      propagation: mount.text(MOUNT.propagation.number) ?? "",
    });
  }
  return mounts;
}

const mountText = (mount: Mount): string => Object.values(mount).join(":");

/** A part of one mount: the one with this number, or the first whose `by` fits the pattern. */
function mountField(name: string, of: (mount: Mount) => string, by: "source" | "dest"): ServedField {
  const getter: ServedField["getter"] = (argument) => {
    if (argument === undefined) return undefined;
    const fits = compileGlob(argument);
    const number = /^[0-9]{1,6}$/.test(argument) ? Number(argument) : undefined;
    return kept((container) => {
      const mounts = mountsOf(container);
      const mount = number === undefined ? mounts.find((one) => fits(one[by])) : mounts[number];
      return mount ? of(mount) : NO_MOUNT;
    });
  };
  return { name, events: EVERY_EVENT, from: "Container.mounts", getter };
}

const allMounts = kept((container) => mountsOf(container).map(mountText).join(" ") || undefined);
const oneMount = mountField("container.mount", mountText, "source");

/** The process, or one of its ancestors in the same container, runs the command that asks how the container is. */
function runs(number: number): Get {
  return (view) => {
    const command = view.container()?.message.text(number);
    if (command === undefined) return false;
    if (view.image?.args.join(" ") === command) return true;
    const isInSame = (process: ProcessView) => process.containerRow === view.actor?.containerRow;
    return view.ancestors().some((process) => isInSame(process) && process.image?.args.join(" ") === command);
  };
}

/** Since when the container runs, ns since 1970: as its runtime says, or else since its first process does. */
function startOf(view: EventView): bigint | undefined {
  const started = startTime(view);
  if (started !== undefined) return BigInt(started);
  return view.container() && namespaceStartOf(view);
}

/** When its runtime says that it started, ns since 1970; 0 stands for a time that is not known. */
function startTime(view: EventView): number | bigint | undefined {
  return view.container()?.message.uint64(CONTAINER.startedTimeNs.number) || undefined;
}

function duration(view: EventView): Value {
  const started = startTime(view);
  if (started === undefined) return undefined;
  return Number(BigInt(view.event.uint64(EVENT.timeNs.number)) + view.batch.bootTimeUnixNs - BigInt(started));
}

/** The executable was changed since the container began; undefined outside, and where that is not known. */
function isChangedSince(view: EventView): boolean | undefined {
  const changed = view.image?.message.uint64(EXEC.changedTimeNs.number);
  const started = startOf(view);
  return changed && started !== undefined ? BigInt(changed) > started : undefined;
}

/** What runs in the container is not what its image has. */
function hasDrifted(view: EventView): Value {
  if (!view.container() || !view.image) return undefined;
  return view.image.message.uint(EXEC.upperLayer.number) !== 0 || isChangedSince(view) === true;
}

export const CONTAINER_FIELDS: readonly ServedField[] = [
  row("container.id", "Container.id; host outside of all containers", orHost(CONTAINER.id.number)),
  row("container.name", "Container.name; host outside of all containers", orHost(CONTAINER.name.number)),
  row("container.type", "Container.runtime; host outside of all containers", orHost(CONTAINER.runtime.number)),
  row("container.start_ts", "Container.started_time_ns", startTime),
  row("container.duration", "Event.time_ns and Container.started_time_ns", duration),
  row("container.mounts", "Container.mounts", allMounts),
  { ...oneMount, getter: (argument) => (argument === undefined ? allMounts : oneMount.getter(argument)) },
  mountField("container.mount.source", ({ source }) => source, "dest"),
  mountField("container.mount.dest", ({ dest }) => dest, "source"),
  mountField("container.mount.mode", ({ mode }) => mode, "source"),
  mountField("container.mount.rdwr", ({ rdwr }) => rdwr, "source"),
  mountField("container.mount.propagation", ({ propagation }) => propagation, "source"),
  row(
    "container.labels",
    "Container.labels",
    kept(({ message }) => listLabels(readLabels(message))),
  ),
  {
    ...row("container.label", "Container.labels", () => undefined),
    getter: (name) => (name === undefined ? undefined : kept(({ message }) => readLabels(message).get(name))),
  },
  row("proc.is_container_healthcheck", "Exec.args and Container.health_check", runs(CONTAINER.healthCheck.number)),
  row(
    "proc.is_container_liveness_probe",
    "Exec.args and Container.liveness_probe",
    runs(CONTAINER.livenessProbe.number),
  ),
  row(
    "proc.is_container_readiness_probe",
    "Exec.args and Container.readiness_probe",
    runs(CONTAINER.readinessProbe.number),
  ),
  {
    ...row(
      "nightjar.container.changed",
      "Exec.changed_time_ns, of a file changed since the container began",
      isChangedSince,
    ),
    type: "bool",
  },
  { ...row("nightjar.container.drift", "nightjar.container.changed, or Exec.upper_layer", hasDrifted), type: "bool" },
];
