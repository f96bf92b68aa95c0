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

/** The catalogue's fields, read from flat events; fields of the test suite's own ("c.") stand beside them. */
export function flatField(name: string, argument?: string): { field: Field; argument?: string } | undefined {
  const own = OWN_FIELDS[name];
  const found = own ? { field: own, ...(argument !== undefined && { argument }) } : findField(name, argument);
  if (!found) return undefined;
  const { field } = found;
  const getter = (wanted: string | undefined) => {
    const keys =
      wanted === undefined ? (SEVERAL[field.name] ?? [name]) : [`${field.name}[${wanted}]`, `${field.name}.${wanted}`];
    const several = wanted === undefined && field.name in SEVERAL;
    return (event: FlatEvent): Value => {
      const values = keys.map((key) => convert(event[key], field)).filter((value) => value !== undefined);
      if (!several) return values[0];
      return values.length > 0 ? values : undefined;
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
} as const;

/** The fields that Falco's tests of its compiler bring along. */
const OWN_FIELDS: Readonly<Record<string, Field>> = {
  "c.true": { name: "c.true", type: "string", ...shape, deprecated: false, events: [], from: "tests" },
  "c.false": { name: "c.false", type: "string", ...shape, deprecated: false, events: [], from: "tests" },
  "c.doublequote": { name: "c.doublequote", type: "string", ...shape, deprecated: false, events: [], from: "tests" },
  "c.singlequote": { name: "c.singlequote", type: "string", ...shape, deprecated: false, events: [], from: "tests" },
  "c.buffer": { name: "c.buffer", type: "bytes", ...shape, deprecated: false, events: [], from: "tests" },
};
