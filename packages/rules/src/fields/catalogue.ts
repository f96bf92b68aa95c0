// The catalogue of fields: what the options in `proto/` name, what is worked out from the messages, what is only known.
import { type DescField, type DescMessage, getOption, ScalarType } from "@bufbuild/protobuf";
import {
  ContainerSchema,
  EventSchema,
  ExecSchema,
  ExecutableSchema,
  eventTypes,
  falco,
  PodSchema,
  ProcessSchema,
} from "@nightjar/proto";
import type { EventView, SharedMessage } from "../engine/event-view.ts";
import { type Field, type Getter, newCacheKey, type Several, type Value } from "./definition.ts";
import { CONTAINER_FIELDS } from "./derived-container.ts";
import { DERIVED_EVENT_FIELDS } from "./derived-event.ts";
import { EXECUTABLE_FIELDS } from "./derived-executable.ts";
import { NETWORK_FIELDS } from "./derived-network.ts";
import { POD_FIELDS } from "./derived-pod.ts";
import { DERIVED_PROCESS_FIELDS } from "./derived-process.ts";
import { SESSION_FIELDS } from "./derived-session.ts";
import { TIME_FIELDS } from "./derived-times.ts";
import { KNOWN_FIELDS, type ValueType } from "./known.ts";
import { bytesReader, reader } from "./reader.ts";
import { renderingOf } from "./renderings.ts";
import { EVERY_EVENT, type ServedField } from "./served.ts";

/** Why a known field has no values, by the beginning of its name; the first that fits counts. */
const NOT_SERVED: readonly (readonly [prefix: string, reason: string])[] = [
  ["k8s.svc.", "services are not asked for: each sensor would have to watch all of them"],
  ["fd.", "no event type carries it yet"],
  ["fs.path.", "no event type carries it yet"],
  ["", "the sensor does not measure it"],
];

/** Fields that compare in more than one value where they have no argument. */
const SEVERAL: ReadonlyMap<string, Several> = new Map([
  ...["fd.ip", "fd.port", "fd.net", "fd.proto"].map((name) => [name, "pair"] as const),
  ...["c", "s", "l", "r"].map((end) => [`fd.${end}ip.name`, "pair"] as const),
  ...["aname", "aexe", "aexepath", "aargs", "acmdline", "apid", "aenv"].map((name) => [`proc.${name}`, "any"] as const),
  ["fd.types", "list"],
]);

/** Fields whose argument may also stand behind a dot: evt.arg.flags is evt.arg[flags]. */
const DOTTED = [
  ...["evt.arg", "evt.rawarg", "evt.around", "evt.abspath", "evt.type.is", "thread.cgroup"],
  ...["pod", "ns", "deployment", "rs", "rc", "svc"].map((what) => `k8s.${what}.label`),
];

/** A field of a message that many events share: its value is worked out once. */
function ofShared(field: DescField, find: (view: EventView) => SharedMessage | undefined): Getter {
  const read = reader(field);
  const key = newCacheKey();
  return (view) => {
    const shared = find(view);
    if (!shared) return undefined;
    if (!(key in shared.cache)) shared.cache[key] = read(shared.message);
    return shared.cache[key] as Value;
  };
}

/** The messages that are the actor's, with where an event's view has them. */
const SHARED: readonly (readonly [message: DescMessage, find: (view: EventView) => SharedMessage | undefined])[] = [
  [ExecSchema, (view) => view.image],
  [ContainerSchema, (view) => view.container()],
  [PodSchema, (view) => view.container()?.pod],
  [ExecutableSchema, (view) => view.executable()],
];

/** The names of a field that are not an argument's; those are in arguments.ts. */
function names(field: DescField): string[] {
  return getOption(field, falco).filter((name) => !name.startsWith("evt.arg."));
}

function rowsOf(
  fields: readonly DescField[],
  owner: string,
  events: readonly number[],
  getter: (field: DescField, name: string) => Getter,
): ServedField[] {
  return fields.flatMap((field) =>
    names(field).map((name) => {
      const get = getter(field, name);
      return { name, events, from: `${owner}.${field.name}`, getter: () => get };
    }),
  );
}

const types = new Map(KNOWN_FIELDS.map(([name, type]) => [name, type]));

/** A field of an event's message: rendered, unless the name asks for it as it is. */
function ofData(field: DescField, name: string): Getter {
  const read = types.get(name) === "bytes" ? bytesReader(field) : reader(field);
  const rendering = types.get(name) === "string" && !name.endsWith("raw") ? renderingOf(field) : undefined;
  if (!rendering) return ({ data }) => read(data);
  return (view) => {
    const value = read(view.data);
    return value === undefined ? undefined : rendering(value, view);
  };
}

/** The fields that the messages name by themselves. */
function fieldsOfMessages(): ServedField[] {
  const ofEventTypes = eventTypes.flatMap(({ id, field: { message } }) => {
    // An exec's fields are those of the process from then on.
    return message && message !== ExecSchema ? rowsOf(message.fields, message.name, [id], ofData) : [];
  });
  const ofEvent = EventSchema.fields.filter((field) => field.oneof === undefined);
  return [
    ...rowsOf(ofEvent, "Event", EVERY_EVENT, (field) => {
      const read = reader(field);
      return (view) => read(view.event);
    }),
    ...rowsOf(ProcessSchema.fields, "Process", EVERY_EVENT, (field) => {
      const read = reader(field);
      return ({ actor }: EventView) => actor && read(actor.message);
    }),
    ...SHARED.flatMap(([message, find]) =>
      rowsOf(message.fields, message.name, EVERY_EVENT, (field) => ofShared(field, find)),
    ),
    ...ofEventTypes,
  ];
}

/** One row of several that have a name: on each event type the first that has a value. */
function merged(rows: readonly ServedField[]): ServedField {
  const [first] = rows as [ServedField];
  if (rows.length === 1) return first;
  return {
    ...first,
    events: EVERY_EVENT.filter((id) => rows.some(({ events }) => events.includes(id))),
    from: joinSources(rows),
    getter: (argument) => {
      const byType: Getter[] = [];
      for (const id of EVERY_EVENT) {
        const getters = rows
          .filter(({ events }) => events.includes(id))
          .flatMap(({ getter }) => getter(argument) ?? []);
        if (getters.length > 0) byType[id] = firstOf(getters);
      }
      return byType.length > 0 ? (view) => byType[view.type]?.(view) : undefined;
    },
  };
}

/** Where many messages have the same field, its name alone says enough. */
function joinSources(rows: readonly ServedField[]): string {
  const sources = [...new Set(rows.map(({ from }) => from))];
  if (sources.length <= SOURCES_MAX) return sources.join(", ");
  return [...new Set(sources.map((from) => from.replace(/^.*\./, "")))].join(", ");
}

/** So many messages are named one by one. */
const SOURCES_MAX = 2;

function firstOf(getters: readonly Getter[]): Getter {
  if (getters.length === 1) return getters[0] as Getter;
  return (view) => {
    for (const get of getters) {
      const value = get(view);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

const DERIVED_FIELDS: readonly ServedField[] = [
  ...DERIVED_EVENT_FIELDS,
  ...DERIVED_PROCESS_FIELDS,
  ...NETWORK_FIELDS,
  ...SESSION_FIELDS,
  ...POD_FIELDS,
  ...CONTAINER_FIELDS,
  ...TIME_FIELDS,
  ...EXECUTABLE_FIELDS,
];

/** What begins so is ours, not Falco's: its type is that of the message's field, or stands in its row. */
const OWN_PREFIX = "nightjar.";

function ownFields(): [name: string, type: ValueType, letters: string][] {
  const messages = [
    ...eventTypes.map(({ field }) => field.message),
    ProcessSchema,
    ...SHARED.map(([message]) => message),
  ];
  const fields = messages.flatMap((message) => message?.fields ?? []);
  const rows = fields.flatMap((field) => names(field).map((name) => [name, typeOf(field)] as const));
  const own = new Map(rows.filter(([name]) => name.startsWith(OWN_PREFIX)));
  for (const { name, type } of DERIVED_FIELDS) if (type) own.set(name, type);
  return [...own].map(([name, type]) => [name, type, ""]);
}

function typeOf(field: DescField): ValueType {
  if (field.scalar === ScalarType.BOOL) return "bool";
  return field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES ? "string" : "int";
}

function definitions(): Map<string, Field> {
  const derivedNames = new Set(DERIVED_FIELDS.map(({ name }) => name));
  // What is worked out stands for the messages' own fields where both have one name.
  const ofMessages = fieldsOfMessages().filter(({ name }) => !derivedNames.has(name));
  const served = Map.groupBy([...ofMessages, ...DERIVED_FIELDS], ({ name }) => name);
  const fields = new Map<string, Field>();
  for (const [name, type, letters] of [...KNOWN_FIELDS, ...ownFields()]) {
    fields.set(name, fieldOf(name, type, letters, served.get(name)));
    served.delete(name);
  }
  const [unknown] = served.keys();
  if (unknown !== undefined) throw new Error(`a field of no known type: ${unknown}`);
  return fields;
}

function fieldOf(name: string, type: ValueType, letters: string, rows: readonly ServedField[] | undefined): Field {
  const row = rows && merged(rows);
  const several = SEVERAL.get(name);
  const reason = NOT_SERVED.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "";
  return {
    name,
    type,
    argument: letters.includes("A") ? "required" : letters.includes("a") ? "allowed" : "none",
    dotted: DOTTED.includes(name),
    filterOnly: letters.includes("f"),
    printOnly: letters.includes("p"),
    rightHand: !letters.includes("r"),
    transformable: !letters.includes("t"),
    deprecated: letters.includes("d"),
    ...(several && { several }),
    events: row?.events ?? [],
    from: row?.from ?? reason,
    ...(row && { getter: guarded(row) }),
    ...(row?.eventsFor && { eventsFor: row.eventsFor }),
    ...(row?.valuesOn && { valuesOn: row.valuesOn }),
    ...(row?.within && { within: row.within }),
  };
}

/** A getter reads the message of the event types it belongs to; on any other the field is missing. */
function guarded({ events, getter }: ServedField): NonNullable<Field["getter"]> {
  if (events.length === EVERY_EVENT.length) return getter;
  // Half of the event types are about a descriptor: a list would be searched for each field of each event.
  const has = new Uint8Array(Math.max(...EVERY_EVENT) + 1);
  for (const id of events) has[id] = 1;
  return (argument) => {
    const get = getter(argument);
    return get && ((view) => (has[view.type] === 1 ? get(view) : undefined));
  };
}

const catalogue = definitions();

/** Every field a rule may name, whether it has values or not, by name. */
export const FIELDS: ReadonlyMap<string, Field> = catalogue;

/** Finds a field by the name in a rule; an argument behind a dot is taken off the name. Undefined where unknown. */
export function findField(name: string, argument?: string): { field: Field; argument?: string } | undefined {
  const field = catalogue.get(name);
  if (field) return argument === undefined ? { field } : { field, argument };
  const dotted = DOTTED.find((prefix) => name.startsWith(`${prefix}.`) && name.length > prefix.length + 1);
  if (dotted === undefined || argument !== undefined) return undefined;
  return { field: catalogue.get(dotted) as Field, argument: name.slice(dotted.length + 1) };
}
