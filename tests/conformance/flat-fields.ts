// Fields over events that are given flat, as records of names and values, instead of as encoded messages.
import { type Field, findField, type Value } from "@nightjar/rules";

export type FlatEvent = Readonly<Record<string, unknown>>;

/** Which flat fields make up one that compares in several values. */
const SEVERAL: Readonly<Record<string, readonly string[]>> = {
  "fd.ip": ["fd.cip", "fd.sip"],
  "fd.net": ["fd.cip", "fd.sip"],
  "fd.port": ["fd.cport", "fd.sport"],
  "fd.snet": ["fd.sip"],
  "fd.cnet": ["fd.cip"],
  "fd.lnet": ["fd.lip"],
  "fd.rnet": ["fd.rip"],
  "proc.aname": ["proc.aname[1]", "proc.aname[2]", "proc.aname[3]"],
};

function addressBytes(text: string): Uint8Array {
  if (!text.includes(":")) return Uint8Array.from(text.split("."), Number);
  const [head = "", tail = ""] = text.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [left, right] = [groups(head), groups(tail)];
  const all = [...left, ...new Array(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((group: number) => [group >> 8, group & 0xff]));
}

function convert(value: unknown, field: Field): Value {
  if (value === null || value === undefined) return undefined;
  if (field.type === "ip" || field.type === "net") return addressBytes(String(value));
  if (Array.isArray(value)) return value.map((each) => convert(each, field));
  if (field.type === "string") return String(value);
  return value as Value;
}

/**
 * The catalogue's fields, read from flat events. Beside them stand the fields that Falco's tests bring along, and any
 * other that an event has: they are what their values are.
 */
export function flatField(
  name: string,
  argument?: string,
  event: FlatEvent = {},
): { field: Field; argument?: string } | undefined {
  const own = MOCK_FIELDS[name] ?? (name in event ? fieldOf(name, event[name]) : undefined);
  const found = findField(name, argument) ?? (own && { field: own, ...(argument !== undefined && { argument }) });
  if (!found) return undefined;
  const { field } = found;
  const getter = (wanted: string | undefined) => {
    const keys = wanted === undefined ? [name] : [`${field.name}[${wanted}]`, `${field.name}.${wanted}`];
    const parts = wanted === undefined ? SEVERAL[field.name] : undefined;
    return (flat: FlatEvent): Value => {
      const whole = keys.map((key) => convert(flat[key], field)).find((value) => value !== undefined);
      if (!parts) return whole;
      const values = parts.map((key) => convert(flat[key], field)).filter((value) => value !== undefined);
      return values.length > 0 ? values : whole;
    };
  };
  return { ...found, field: { ...field, getter: getter as unknown as NonNullable<Field["getter"]> } };
}

const shape = {
  argument: "none",
  dotted: false,
  filterOnly: false,
  printOnly: false,
  rightHand: true,
  transformable: true,
  deprecated: false,
  events: [],
  from: "tests",
} as const;

const TYPES: Readonly<Record<string, Field["type"]>> = { number: "int", boolean: "bool" };

function fieldOf(name: string, value: unknown): Field {
  const field = { name, type: TYPES[typeof value] ?? "string", ...shape };
  return Array.isArray(value) ? { ...field, several: "list" } : field;
}

/** Of the fields of Falco's tests of its compiler, one is always true and one always false, two hold quotes. */
export const MOCK_EVENT: FlatEvent = {
  "c.true": "1",
  "c.false": "0",
  "c.doublequote": 'hello "quoted"',
  "c.singlequote": "hello 'quoted'",
};

const MOCK_FIELDS: Readonly<Record<string, Field>> = {
  ...Object.fromEntries(Object.entries(MOCK_EVENT).map(([name, value]) => [name, fieldOf(name, value)])),
  "c.buffer": { name: "c.buffer", type: "bytes", ...shape },
};
