// The fields of processes that are worked out from the messages: command lines, ancestors, standard streams.
import {
  DescriptorSchema,
  DescriptorType,
  DescriptorTypeSchema,
  EventSchema,
  ExecSchema,
  ProcessSchema,
  wordsOf,
} from "@nightjar/proto";
import type { EventView, Image, ProcessView } from "../engine/event-view.ts";
import { Message } from "../engine/message.ts";
import { formatEnds } from "./address.ts";
import { newCacheKey, type Value } from "./definition.ts";
import { EVERY_EVENT, type ServedField } from "./served.ts";
import { capabilityNames } from "./words.ts";

const EXEC = ExecSchema.field;
const PROCESS = ProcessSchema.field;
const EVENT = EventSchema.field;
const DESCRIPTOR = DescriptorSchema.field;

/** What a getter of this table reads: a process's name and image, the event's own or an ancestor's. */
interface Subject {
  name: string | undefined;
  image: Image | undefined;
}

type Of = (subject: Subject) => Value;

/** Keeps what `work` gives with the image it was worked out from: events share it. */
function kept(work: (image: Image) => Value): (image: Image | undefined) => Value {
  const key = newCacheKey();
  return (image) => {
    if (!image) return undefined;
    if (!(key in image.cache)) image.cache[key] = work(image);
    return image.cache[key] as Value;
  };
}

const argsAfterFirst = kept((image) => image.args.slice(1).join(" "));
const exePath = kept((image) => image.message.text(EXEC.executable.number));
const capabilities = (number: number) => kept((image) => capabilityNames(image.message.uint64(number)));
const permitted = capabilities(EXEC.capabilitiesPermitted.number);
const effective = capabilities(EXEC.capabilitiesEffective.number);
const inheritable = capabilities(EXEC.capabilitiesInheritable.number);

const nameOf: Of = ({ name }) => name;
const exeOf: Of = ({ image }) => image?.args[0];
const exePathOf: Of = ({ image }) => exePath(image);
// A script's line is kept with the image although the name is not in it: a process is renamed far less than it acts.
const commandLineOf: Of = ({ name, image }) => line(name, argsAfterFirst(image));
const exeLineOf: Of = ({ image }) => line(image?.args[0], argsAfterFirst(image));

function line(first: string | undefined, rest: Value): string | undefined {
  if (first === undefined) return undefined;
  return rest === undefined || rest === "" ? first : `${first} ${rest as string}`;
}

function ofActor(of: Of): () => (view: EventView) => Value {
  return () => of;
}

function ofAncestor(of: Of, generation: number): () => (view: EventView) => Value {
  return () => (view) => {
    const process = view.ancestor(generation);
    return process && of(process);
  };
}

/** `proc.aname[2]` is the grandparent's; without an index, every ancestor's. */
function ofAncestors(
  of: Of,
  actorPid?: (view: EventView) => Value,
): (argument: string | undefined) => ((view: EventView) => Value) | undefined {
  return (argument) => {
    if (argument === undefined) return (view) => some(view.ancestors().map(of));
    if (!/^[0-9]{1,4}$/.test(argument)) return undefined;
    const generation = Number(argument);
    if (generation === 0) return actorPid ?? of;
    return ofAncestor(of, generation)();
  };
}

function some(values: Value[]): Value {
  const present = values.filter((value) => value !== undefined);
  return present.length > 0 ? present : undefined;
}

function pidOf(process: ProcessView | Subject): Value {
  return "message" in process ? process.message.uint(PROCESS.pid.number) : undefined;
}

const descriptorWords = wordsOf(DescriptorTypeSchema);

interface Stream {
  type: string | undefined;
  name: string | undefined;
}

const SOCKET_TYPES: ReadonlySet<number> = new Set([DescriptorType.IPV4, DescriptorType.IPV6, DescriptorType.UNIX]);

function readStream(bytes: Uint8Array, begin: number, end: number): Stream {
  const message = new Message();
  message.load(bytes, begin, end);
  const type = message.uint(DESCRIPTOR.type.number);
  const ends = [DESCRIPTOR.local.number, DESCRIPTOR.remote.number].map((number) => {
    const endpoint = new Message();
    endpoint.load(bytes, message.start(number), message.stop(number));
    return endpoint;
  });
  const name = SOCKET_TYPES.has(type)
    ? formatEnds(ends[0] as Message, ends[1] as Message)
    : message.text(DESCRIPTOR.name.number);
  return { type: descriptorWords.get(type), name };
}

const streamsKey = newCacheKey();

function streamOf(image: Image | undefined, number: number): Stream | undefined {
  if (!image) return undefined;
  if (!(streamsKey in image.cache)) {
    const bounds = image.message.occurrences(EXEC.stdio.number);
    const streams: Stream[] = [];
    for (let at = 0; at < bounds.length; at += 2) {
      streams.push(readStream(image.message.bytes, bounds[at] as number, bounds[at + 1] as number));
    }
    image.cache[streamsKey] = streams;
  }
  return (image.cache[streamsKey] as Stream[])[number];
}

const streams: ServedField[] = ["stdin", "stdout", "stderr"].flatMap((stream, number): ServedField[] => [
  {
    name: `proc.${stream}.type`,
    events: EVERY_EVENT,
    from: `Exec.stdio[${number}]`,
    getter: () => (view) => streamOf(view.image, number)?.type,
  },
  {
    name: `proc.${stream}.name`,
    events: EVERY_EVENT,
    from: `Exec.stdio[${number}]`,
    getter: () => (view) => streamOf(view.image, number)?.name,
  },
]);

function row(name: string, from: string, getter: ServedField["getter"]): ServedField {
  return { name, events: EVERY_EVENT, from, getter };
}

/** proc.args[N] is one argument, counted without argv[0]. */
const args: ServedField["getter"] = (argument) => {
  if (argument === undefined) return ({ image }) => argsAfterFirst(image);
  if (!/^[0-9]{1,6}$/.test(argument)) return undefined;
  const index = Number(argument) + 1;
  return ({ image }) => image?.args[index];
};

/** The length of the arguments behind the first, without what separates them. */
const argumentBytes = kept(({ message }) => {
  const bounds = message.occurrences(EXEC.args.number);
  let length = 0;
  for (let at = 2; at < bounds.length; at += 2) length += (bounds[at + 1] as number) - (bounds[at] as number);
  return length;
});

const allVariables = kept(({ environment }) => (environment.length > 0 ? environment.join(" ") : undefined));

/** The value of a variable; undefined where there is none, or the environment was not asked for. */
function variableOf(image: Image | undefined, name: string): string | undefined {
  const entry = image?.environment.find((each) => each.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

/** proc.env is all of it, proc.env[HOME] one variable's value. */
const environment: ServedField["getter"] = (name) => {
  if (name === undefined) return ({ image }) => allVariables(image);
  return ({ image }) => variableOf(image, name);
};

/** proc.aenv[2] is all of the grandparent's, proc.aenv[HOME] the value that the nearest ancestor has. */
const ancestorsEnvironment: ServedField["getter"] = (argument) => {
  if (argument === undefined || /^[0-9]{1,4}$/.test(argument))
    return ofAncestors(({ image }) => allVariables(image))(argument);
  return (view) => {
    for (const { image } of view.ancestors()) {
      const value = variableOf(image, argument);
      if (value !== undefined) return value;
    }
    return undefined;
  };
};

const flag = (number: number, wanted: boolean): ServedField["getter"] => {
  return () =>
    ({ image }) =>
      image ? (image.message.uint(number) !== 0) === wanted : undefined;
};

export const DERIVED_PROCESS_FIELDS: readonly ServedField[] = [
  row("proc.name", "Event.name, or Process.name", ofActor(nameOf)),
  row("proc.pname", "Process.name of the parent", ofAncestor(nameOf, 1)),
  row("proc.aname", "Process.name of the ancestors", ofAncestors(nameOf)),
  row("proc.exe", "Exec.args[0]", ofActor(exeOf)),
  row("proc.pexe", "Exec.args[0] of the parent", ofAncestor(exeOf, 1)),
  row("proc.aexe", "Exec.args[0] of the ancestors", ofAncestors(exeOf)),
  row("proc.exepath", "Exec.executable", ofActor(exePathOf)),
  row("proc.pexepath", "Exec.executable of the parent", ofAncestor(exePathOf, 1)),
  row("proc.aexepath", "Exec.executable of the ancestors", ofAncestors(exePathOf)),
  row("proc.args", "Exec.args behind the first", args),
  row(
    "proc.aargs",
    "Exec.args of the ancestors",
    ofAncestors(({ image }) => argsAfterFirst(image)),
  ),
  row("proc.env", "Exec.environment", environment),
  row("proc.aenv", "Exec.environment of the ancestors", ancestorsEnvironment),
  row("proc.cmdline", "Process.name and Exec.args", ofActor(commandLineOf)),
  row("proc.pcmdline", "the same of the parent", ofAncestor(commandLineOf, 1)),
  row("proc.acmdline", "the same of the ancestors", ofAncestors(commandLineOf)),
  row("proc.exeline", "Exec.args", ofActor(exeLineOf)),
  row(
    "proc.cmdnargs",
    "Exec.args",
    () =>
      ({ image }) =>
        image && Math.max(0, image.args.length - 1),
  ),
  row(
    "proc.cmdlenargs",
    "Exec.args, in bytes",
    () =>
      ({ image }) =>
        argumentBytes(image),
  ),
  row(
    "proc.apid",
    "Process.pid of the ancestors",
    ofAncestors(pidOf, (view) => view.event.uint(EVENT.pid.number)),
  ),
  row(
    "proc.pvpid",
    "Exec.namespaced_pid of the parent",
    ofAncestor(({ image }) => image?.message.uint(EXEC.namespacedPid.number) || undefined, 1),
  ),
  row("proc.is_exe_lower_layer", "Exec.upper_layer", flag(EXEC.upperLayer.number, false)),
  row("thread.nametid", "Event.name and Event.tid", () => (view) => {
    return view.name === undefined ? undefined : `${view.name}${view.event.uint(EVENT.tid.number)}`;
  }),
  row("thread.vtid", "Exec.namespaced_pid, of a process's first thread", () => ({ event, image }) => {
    return event.uint(EVENT.tid.number) === event.uint(EVENT.pid.number)
      ? image?.message.uint(EXEC.namespacedPid.number) || undefined
      : undefined;
  }),
  row("thread.ismain", "Event.tid and Event.pid", () => ({ event }) => {
    return event.uint(EVENT.tid.number) === event.uint(EVENT.pid.number);
  }),
  row(
    "thread.cap_permitted",
    "Exec.capabilities_permitted",
    () =>
      ({ image }) =>
        permitted(image),
  ),
  row(
    "thread.cap_effective",
    "Exec.capabilities_effective",
    () =>
      ({ image }) =>
        effective(image),
  ),
  row(
    "thread.cap_inheritable",
    "Exec.capabilities_inheritable",
    () =>
      ({ image }) =>
        inheritable(image),
  ),
  row(
    "thread.cgroups",
    "Exec.cgroup",
    () =>
      ({ image }) =>
        image?.message.text(EXEC.cgroup.number),
  ),
  ...streams,
];
