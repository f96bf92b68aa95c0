// The fields of processes that are times: when they and their pid namespace began, how long they run.
import { EventSchema, ExecSchema, ProcessSchema } from "@nightjar/proto";
import type { EventView, Image } from "../engine/event-view.ts";
import type { Value } from "./definition.ts";
import { EVERY_EVENT, type ServedField } from "./served.ts";

const EXEC = ExecSchema.field;
const PROCESS = ProcessSchema.field;
const EVENT = EventSchema.field;
/** Of the first process of a pid namespace, as that numbers it. */
const INIT_PID = 1;

type Get = (view: EventView) => Value;

const row = (name: string, from: string, get: Get): ServedField => ({
  name,
  events: EVERY_EVENT,
  from,
  getter: () => get,
});

/** A moment on CLOCK_BOOTTIME as ns since 1970. */
const toUnix = (view: EventView, ns: number | bigint): bigint => BigInt(ns) + view.batch.bootTimeUnixNs;

/** When a process began, ns since 1970: as the event's header says, or else its row; undefined where neither does. */
const began =
  (number: number, generation: number): ((view: EventView) => bigint | undefined) =>
  (view) => {
    const ns = view.event.uint64(number) || view.ancestor(generation)?.message.uint64(PROCESS.startTimeNs.number);
    return ns ? toUnix(view, ns) : undefined;
  };

const startOf = began(EVENT.startTimeNs.number, 0);
const parentStartOf = began(EVENT.parentStartTimeNs.number, 1);

const since =
  (start: (view: EventView) => bigint | undefined): Get =>
  (view) => {
    const from = start(view);
    return from === undefined ? undefined : Number(toUnix(view, view.event.uint64(EVENT.timeNs.number)) - from);
  };

function changeOf(image: Image | undefined): bigint | undefined {
  const changed = image?.message.uint64(EXEC.changedTimeNs.number);
  return changed ? BigInt(changed) : undefined;
}

/** From the executable's last change to the start of the process. */
function startSinceChange(view: EventView): Value {
  const changed = changeOf(view.image);
  const start = startOf(view);
  return changed === undefined || start === undefined ? undefined : Number(start - changed);
}

/** When the first process of the actor's pid namespace began, which is the actor itself or one of its ancestors. */
export function namespaceStartOf(view: EventView): bigint | undefined {
  const namespace = view.image?.message.uint(EXEC.pidNamespace.number);
  if (!namespace) return undefined;
  const isInit = (image: Image | undefined): boolean =>
    image?.message.uint(EXEC.namespacedPid.number) === INIT_PID &&
    image.message.uint(EXEC.pidNamespace.number) === namespace;
  if (isInit(view.image)) return startOf(view);
  const init = view.ancestors().find(({ image }) => isInit(image));
  return init && toUnix(view, init.message.uint64(PROCESS.startTimeNs.number));
}

/** From the start of the pid namespace to the executable's last change; undefined where that came first. */
function changeSinceNamespace(view: EventView): Value {
  const changed = changeOf(view.image);
  const start = namespaceStartOf(view);
  return changed === undefined || start === undefined || changed <= start ? undefined : Number(changed - start);
}

export const TIME_FIELDS: readonly ServedField[] = [
  row("proc.duration", "Event.time_ns and Event.start_time_ns", since(startOf)),
  row("proc.ppid.duration", "Event.time_ns and Event.parent_start_time_ns", since(parentStartOf)),
  row("proc.pid.ts", "Event.start_time_ns, since 1970", startOf),
  row("proc.ppid.ts", "Event.parent_start_time_ns, since 1970", parentStartOf),
  row("proc.exe_ino.ctime_duration_proc_start", "Event.start_time_ns and Exec.changed_time_ns", startSinceChange),
  row(
    "proc.exe_ino.ctime_duration_pidns_start",
    "Exec.changed_time_ns and Process.start_time_ns of the pid namespace's first",
    changeSinceNamespace,
  ),
  row(
    "proc.pidns_init_start_ts",
    "Process.start_time_ns of the first of the actor's pid namespace, since 1970",
    namespaceStartOf,
  ),
];
