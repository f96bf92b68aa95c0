// The catalogue of fields: what the options in `proto/` name, what is worked out from the messages, what is only known.
import { type DescField, getOption, ScalarType } from "@bufbuild/protobuf";
import { EventSchema, ExecSchema, eventTypes, falco, ProcessSchema } from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import type { Message } from "../engine/message.ts";
import { type Field, type Getter, newCacheKey, type Several, type Value } from "./definition.ts";
import { DERIVED_EVENT_FIELDS } from "./derived-event.ts";
import { DERIVED_PROCESS_FIELDS } from "./derived-process.ts";
import { KNOWN_FIELDS } from "./known.ts";
import { EVERY_EVENT, type ServedField } from "./served.ts";

/** Why a known field has no values, by the beginning of its name; the first that fits counts. */
const NOT_SERVED: readonly (readonly [prefix: string, reason: string])[] = [
  ["container.", "containers are not told apart yet"],
  ["proc.is_container_", "containers are not told apart yet"],
  ["k8s.", "Kubernetes is not asked yet"],
  ["proc.env", "the environment is not read"],
  ["proc.aenv", "the environment is not read"],
  ["evt.buffer", "no event carries data that was read or written"],
  ["fd.", "no event type carries it yet"],
  ["fs.path.", "no event type carries it yet"],
  ["", "the sensor does not measure it"],
];

/** Fields that compare in more than one value where they have no argument. */
const SEVERAL: ReadonlyMap<string, Several> = new Map([
  ...["fd.ip", "fd.port", "fd.net", "fd.proto"].map((name) => [name, "pair"] as const),
  ...["aname", "aexe", "aexepath", "aargs", "acmdline", "apid", "aenv"].map((name) => [`proc.${name}`, "any"] as const),
  ["fd.types", "list"],
]);

/** Fields whose argument may also stand behind a dot: evt.arg.flags is evt.arg[flags]. */
const DOTTED = ["evt.arg", "evt.rawarg", "evt.around", "evt.abspath", "evt.type.is", "thread.cgroup"];

type Read = (message: Message) => Value;

/** How a field of a message becomes a value, by its type in the message. */
function reader(field: DescField): Read {
  const { number } = field;
  if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES) return (message) => message.text(number);
  if (field.scalar === ScalarType.BOOL) return (message) => message.uint(number) !== 0;
  if (field.scalar === ScalarType.UINT64) return (message) => message.uint64(number);
  if (field.scalar === ScalarType.INT32 || field.scalar === ScalarType.INT64) return (message) => message.int(number);
  return (message) => message.uint(number);
}

function ofImage(field: DescField): Getter {
  const read = reader(field);
  const key = newCacheKey();
  return ({ image }) => {
    if (!image) return undefined;
    if (!(key in image.cache)) image.cache[key] = read(image.message);
    return image.cache[key] as Value;
  };
}

function rowsOf(
  fields: readonly DescField[],
  owner: string,
  events: readonly number[],
  getter: (field: DescField) => Getter,
): ServedField[] {
  return fields.flatMap((field) =>
    getOption(field, falco).map((name) => {
      const get = getter(field);
      return { name, events, from: `${owner}.${field.name}`, getter: () => get };
    }),
  );
}

/** The fields that the messages name by themselves. */
function fieldsOfMessages(): ServedField[] {
  const ofData = eventTypes.flatMap(({ id, field }) => {
    const message = field.message;
    // An exec's own fields are those of the process from then on; only evt.* are the event's alone.
    const own = message?.fields.filter(
      (each) => message !== ExecSchema || names(each).some((name) => name.startsWith("evt.")),
    );
    return rowsOf(own ?? [], message?.name ?? "", [id], (each) => {
      const read = reader(each);
      return (view) => read(view.data);
    });
  });
  const ofEvent = EventSchema.fields.filter((field) => field.oneof === undefined);
  const ofExec = ExecSchema.fields.filter((field) => names(field).every((name) => !name.startsWith("evt.")));
  return [
    ...rowsOf(ofEvent, "Event", EVERY_EVENT, (field) => {
      const read = reader(field);
      return (view) => read(view.event);
    }),
    ...rowsOf(ProcessSchema.fields, "Process", EVERY_EVENT, (field) => {
      const read = reader(field);
      return ({ actor }: EventView) => actor && read(actor.message);
    }),
    ...rowsOf(ofExec, "Exec", EVERY_EVENT, ofImage),
    ...ofData,
  ];
}

function names(field: DescField): string[] {
  return getOption(field, falco);
}

function definitions(): Map<string, Field> {
  const served = new Map<string, ServedField>();
  // What is worked out comes last: it stands for the message's own field where both have one name.
  for (const row of [...fieldsOfMessages(), ...DERIVED_EVENT_FIELDS, ...DERIVED_PROCESS_FIELDS])
    served.set(row.name, row);
  const fields = new Map<string, Field>();
  for (const [name, type, letters] of KNOWN_FIELDS) {
    const row = served.get(name);
    served.delete(name);
    const several = SEVERAL.get(name);
    const reason = NOT_SERVED.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "";
    fields.set(name, {
      name,
      type,
      argument: letters.includes("A") ? "required" : letters.includes("a") ? "allowed" : "none",
      filterOnly: letters.includes("f"),
      printOnly: letters.includes("p"),
      rightHand: !letters.includes("r"),
      transformable: !letters.includes("t"),
      deprecated: letters.includes("d"),
      ...(several && { several }),
      events: row?.events ?? [],
      from: row?.from ?? reason,
      ...(row && { getter: guarded(row) }),
      ...(row?.valuesOn && { valuesOn: row.valuesOn }),
    });
  }
  for (const [name, row] of served) fields.set(name, argumentField(name, row));
  return fields;
}

/** A getter reads the message of the event types it belongs to; on any other the field is missing. */
function guarded({ events, getter }: ServedField): NonNullable<Field["getter"]> {
  if (events.length === EVERY_EVENT.length) return getter;
  return (argument) => {
    const get = getter(argument);
    return get && ((view) => (events.includes(view.type) ? get(view) : undefined));
  };
}

/** A message's field that is an event's argument, e.g. evt.arg.filename. Any other name needs a row among the known. */
function argumentField(name: string, row: ServedField): Field {
  if (!name.startsWith("evt.arg.")) throw new Error(`a field of no known type: ${name}`);
  const shape = {
    argument: "none",
    filterOnly: false,
    printOnly: false,
    rightHand: true,
    transformable: true,
  } as const;
  const { events, from } = row;
  return {
    name,
    type: "string",
    ...shape,
    deprecated: false,
    events,
    from,
    getter: guarded(row),
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
