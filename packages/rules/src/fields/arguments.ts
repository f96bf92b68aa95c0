// The arguments of events, by Falco's names and in its order: evt.arg.NAME, evt.arg[N], evt.args. What there is stands
// in the options of the messages; here are only those that every event has.
import { type DescField, getOption } from "@bufbuild/protobuf";
import { EventSchema, type EventType, ExecSchema, eventTypes, evt_args, falco, reportedCalls } from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import { formatOneEnd } from "./address.ts";
import type { Value } from "./definition.ts";
import { descriptorName, descriptorNumber, descriptorText, remoteEnd } from "./descriptor.ts";
import { reader, wordsOfField } from "./reader.ts";
import { renderingOf } from "./renderings.ts";
import type { ServedField } from "./served.ts";
import { errorName } from "./words.ts";

const EVENT = EventSchema.field;
const PREFIX = "evt.arg.";

type Get = (view: EventView) => Value;

/** An argument of a call. */
export interface Argument {
  name: string;
  /** The value as the event has it, and as rules compare it. */
  raw: Get;
  text: Get;
  /** Which fields of the messages it comes from, for the reference. */
  from: string;
}

const resultOf = (view: EventView): number => view.event.int(EVENT.result.number);

function argument(name: string, from: string, raw: Get, text: Get = raw): Argument {
  return { name, raw, text: (view) => asText(text(view)), from };
}

function asText(value: Value): Value {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean" ? String(value) : value;
}

/** What an event's message need not have, since every event does. */
const BUILT_IN: readonly Argument[] = [
  argument("res", "Event.result", resultOf, (view) =>
    resultOf(view) < 0 ? errorName(-resultOf(view)) : resultOf(view),
  ),
  argument("fd", "the descriptor", descriptorNumber, (view) => descriptorText(descriptorNumber(view), view)),
  argument("tuple", "fd.name", descriptorName),
  argument("addr", "the descriptor's remote end", (view) => formatOneEnd(remoteEnd(view))),
  argument("exe", "Exec.args[0]", ({ image }) => image?.args[0]),
  argument("args", "Exec.args behind the first", ({ image }) => image?.args.slice(1).join(" ")),
  argument("tid", "Event.tid", ({ event }) => event.uint(EVENT.tid.number)),
  argument("pid", "Event.pid", ({ event }) => event.uint(EVENT.pid.number)),
  argument("ptid", "Event.parent_pid", ({ event }) => event.uint(EVENT.parentPid.number)),
  argument("comm", "Event.name", (view) => view.name),
];

const EXEC = ExecSchema.field;
const EXEC_FLAGS: readonly (readonly [name: string, field: number, set: boolean])[] = [
  ["EXE_UPPER_LAYER", EXEC.upperLayer.number, true],
  ["EXE_FROM_MEMFD", EXEC.fromMemfd.number, true],
  ["EXE_LOWER_LAYER", EXEC.upperLayer.number, false],
];

/** What Falco keeps in an exec's flags, our message has in fields of its own. */
const OF_EXEC: readonly Argument[] = [
  argument("flags", "Exec.upper_layer and Exec.from_memfd", ({ data }) => {
    const set = EXEC_FLAGS.filter(([, field, wanted]) => (data.uint(field) !== 0) === wanted);
    return set.map(([name]) => name).join("|");
  }),
];

/** The first of the fields that has a value. */
function ofFields(name: string, fields: readonly DescField[]): Argument {
  const parts = fields.map((field) => {
    const read = reader(field);
    const rendering = renderingOf(field);
    const words = wordsOfField(field);
    const text = (value: Value, view: EventView): Value => {
      if (value === undefined) return undefined;
      if (rendering) return rendering(value, view);
      return words?.get(value as number) ?? value;
    };
    return { read, text };
  });
  const from = fields.map((field) => `${field.parent.name}.${field.name}`).join(", or ");
  if (parts.length === 1) {
    const [{ read, text }] = parts as [(typeof parts)[number]];
    return argument(
      name,
      from,
      ({ data }) => read(data),
      (view) => text(read(view.data), view),
    );
  }
  const first = (view: EventView) => parts.find(({ read }) => read(view.data) !== undefined);
  return argument(
    name,
    from,
    (view) => first(view)?.read(view.data),
    (view) => first(view)?.text(first(view)?.read(view.data), view),
  );
}

/** An event type's arguments, in order, for each number of its calls; under 0 stand those of an untold call. */
export interface EventArguments {
  type: EventType;
  byCall: ReadonlyMap<number, readonly Argument[]>;
}

function argumentsOf(type: EventType): EventArguments {
  const message = type.field.message;
  if (!message) throw new Error(`the event type ${type.name} has no message`);
  const calls = reportedCalls.filter((call) => call.type === type.id);
  const named = new Map([...BUILT_IN, ...(message === ExecSchema ? OF_EXEC : [])].map((each) => [each.name, each]));
  const own = Map.groupBy(
    message.fields.flatMap((field) => argumentNames(field).map((name) => ({ name, field }))),
    ({ name }) => name,
  );
  for (const [name, rows] of own) {
    named.set(
      name,
      ofFields(
        name,
        rows.map(({ field }) => field),
      ),
    );
  }
  const lines = getOption(message, evt_args).map((line) => readLine(line, type.name, named));
  const listed = new Set(lines.flatMap(({ list }) => list));
  // What is ours alone stands behind Falco's arguments, so that these keep their numbers.
  const extra = [...own.keys()].map((name) => named.get(name) as Argument).filter((each) => !listed.has(each));
  for (const line of lines) line.list.push(...extra);
  const others = lines.find((line) => line.calls.length === 0)?.list;
  const standard = ["res", ...own.keys()].map((name) => named.get(name) as Argument);
  const byCall = new Map<number, readonly Argument[]>();
  for (const { call, word } of calls) {
    const line = lines.find((each) => each.calls.includes(word));
    byCall.set(call, line?.list ?? others ?? standard);
  }
  byCall.set(0, byCall.values().next().value ?? others ?? standard);
  for (const word of lines.flatMap((line) => line.calls)) {
    if (!calls.some((call) => call.word === word)) throw new Error(`${type.name} does not report the call ${word}`);
  }
  return { type, byCall };
}

function argumentNames(field: DescField): string[] {
  return getOption(field, falco)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length));
}

/** "unlinkat: res dirfd name flags" */
function readLine(text: string, type: string, named: ReadonlyMap<string, Argument>) {
  const [head = "", tail] = text.split(":");
  const words = (part: string): string[] => part.split(/[\s,]+/).filter((word) => word !== "");
  const list = words(tail ?? head).map((name) => {
    const found = named.get(name);
    if (!found) throw new Error(`no field of the event type ${type} is named ${PREFIX}${name}`);
    return found;
  });
  return { calls: tail === undefined ? [] : words(head), list };
}

/** The arguments of every event type. */
export const ARGUMENTS: readonly EventArguments[] = eventTypes.map(argumentsOf);

const byType: (ReadonlyMap<number, readonly Argument[]> | undefined)[] = [];
for (const { type, byCall } of ARGUMENTS) byType[type.id] = byCall;

function listOf(view: EventView): readonly Argument[] {
  const byCall = byType[view.type];
  return byCall?.get(view.event.uint(EVENT.call.number)) ?? byCall?.get(0) ?? [];
}

/** The argument of that name or number in a list. */
function pick(list: readonly Argument[], wanted: string): Argument | undefined {
  return /^[0-9]{1,2}$/.test(wanted) ? list[Number(wanted)] : list.find(({ name }) => name === wanted);
}

/** The event types that have an argument of this name or number on one of their calls. */
export function eventsWithArgument(wanted: string | undefined): number[] {
  if (wanted === undefined) return [];
  const has = ({ byCall }: EventArguments): boolean => [...byCall.values()].some((list) => pick(list, wanted));
  return ARGUMENTS.filter(has).map(({ type }) => type.id);
}

/** Makes the getter of an argument, as it is or as text. Where all calls of a type agree, the call is not looked at. */
export function argumentGetter(form: "raw" | "text"): ServedField["getter"] {
  return (wanted) => {
    if (wanted === undefined) return undefined;
    const getters: (Get | undefined)[] = [];
    for (const { type, byCall } of ARGUMENTS) {
      const found = [...byCall.values()].map((list) => pick(list, wanted)?.[form]);
      if (found.every((get) => get === found[0])) getters[type.id] = found[0];
      else getters[type.id] = (view) => pick(listOf(view), wanted)?.[form](view);
    }
    return (view) => getters[view.type]?.(view);
  };
}

/** Whether an event type tells what its call returned: its arguments begin with a result, or with a descriptor. */
export function hasResult({ byCall }: EventArguments): boolean {
  return [...byCall.values()].some((list) => list[0]?.name === "res" || list[0]?.name === "fd");
}

/** evt.args: "res=0 flags=3(PROT_READ|PROT_WRITE)", the value as it is and behind it what it means. */
export function allArguments(view: EventView): string {
  return listOf(view)
    .map(({ name, raw, text }) => {
      const value = asText(raw(view));
      const meaning = text(view);
      if (meaning === undefined) return `${name}=<NA>`;
      return `${name}=${value === meaning ? String(meaning) : `${String(value)}(${String(meaning)})`}`;
    })
    .join(" ");
}
