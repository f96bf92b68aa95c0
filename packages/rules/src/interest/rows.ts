// What the kernel can tell of an event before it reports it, as a row for each event type that it filters by more than
// its result: classes, into which the kind of the event and its result divide it, and the fields that are keys.
import { eventTypes } from "@nightjar/proto";
import type { Value } from "../fields/definition.ts";
import type { PathPart } from "./path-pattern.ts";

/** A class is a number: the kind in the two lower bits, and this one for events that failed. */
export const CLASS_FAILED = 4;

/** Opens for reading and for writing are these bits of the kind; with O_PATH an open is for neither. */
export const OPEN_READS = 1;
export const OPEN_WRITES = 2;
/** Kinds of sockets. */
export const SOCKET_OTHER = 0;
export const SOCKET_UNIX = 1;
export const SOCKET_IPV4 = 2;
export const SOCKET_IPV6 = 3;

/** The values that a field can have on events of a class. It may be missing too, unless it is `present`. */
export type Fact =
  | { values: readonly Value[]; present?: true }
  | { least: number }
  | { most: number }
  | { other: Value };

/** A field the kernel can look up: which of the keys it is, and what of it. */
export type KeyField =
  | { key: "path"; part: PathPart }
  | { key: "command" }
  | { key: "remote_port" | "local_port" | "any_port" };

export interface FilterRow {
  kinds: readonly { kind: number; name: string; facts: Readonly<Record<string, Fact>> }[];
  keys: Readonly<Record<string, KeyField>>;
  /** Fields that are what the call returned: not negative where it succeeded. */
  results?: readonly string[];
}

const path = (part: PathPart): KeyField => ({ key: "path", part });
const COMMAND: KeyField = { key: "command" };
const only = (...values: Value[]): Fact => ({ values });

const surely = (value: Value): Fact => ({ values: [value], present: true });

const openKind = (kind: number, name: string) => ({
  kind,
  name,
  facts: {
    "evt.is_open_read": surely((kind & OPEN_READS) !== 0),
    "evt.is_open_write": surely((kind & OPEN_WRITES) !== 0),
  },
});

// fd.nameraw is not among them: the caller's memory is not looked at before it is known that someone wants the event.
const FILE_KEYS: FilterRow["keys"] = {
  "fd.name": path("whole"),
  "fd.filename": path("leaf"),
  "fd.directory": path("directory"),
  "proc.name": COMMAND,
};

const OPEN: FilterRow = {
  kinds: [
    openKind(OPEN_READS, "read"),
    openKind(OPEN_WRITES, "write"),
    openKind(OPEN_READS | OPEN_WRITES, "read and write"),
    openKind(0, "path only"),
  ],
  keys: FILE_KEYS,
  results: ["fd.num"],
};

const SOCKET_KINDS: FilterRow["kinds"] = [
  { kind: SOCKET_OTHER, name: "other", facts: {} },
  {
    kind: SOCKET_UNIX,
    name: "unix",
    facts: { "fd.type": only("unix"), "fd.typechar": only("u"), "fd.sockfamily": only("unix") },
  },
  {
    kind: SOCKET_IPV4,
    name: "ipv4",
    facts: { "fd.type": only("ipv4"), "fd.typechar": only("4"), "fd.sockfamily": only("ip") },
  },
  // Of an IPv6 socket that talks IPv4 the ends are IPv4's.
  {
    kind: SOCKET_IPV6,
    name: "ipv6",
    facts: { "fd.type": only("ipv4", "ipv6"), "fd.typechar": only("4", "6"), "fd.sockfamily": only("ip") },
  },
];

const CONNECT: FilterRow = {
  kinds: SOCKET_KINDS,
  keys: {
    "fd.sport": { key: "remote_port" },
    "fd.rport": { key: "remote_port" },
    "fd.cport": { key: "local_port" },
    "fd.lport": { key: "local_port" },
    "fd.port": { key: "any_port" },
    "proc.name": COMMAND,
  },
};

/** Who accepts is the server. */
const ACCEPT: FilterRow = {
  kinds: SOCKET_KINDS,
  keys: {
    "fd.sport": { key: "local_port" },
    "fd.lport": { key: "local_port" },
    "fd.cport": { key: "remote_port" },
    "fd.rport": { key: "remote_port" },
    "fd.port": { key: "any_port" },
    "proc.name": COMMAND,
  },
};

/** Of event types without a row of their own the kernel asks nothing more: they are wanted or not. */
const ANY: FilterRow = { kinds: [{ kind: 0, name: "", facts: {} }], keys: {} };

const FIRST_WRITE: FilterRow = { ...ANY, keys: FILE_KEYS };

const ROWS: Readonly<Record<string, FilterRow>> = {
  open: OPEN,
  first_write: FIRST_WRITE,
  connect: CONNECT,
  accept: ACCEPT,
};

const rowById = new Map(eventTypes.map(({ id, name }) => [id, ROWS[name] ?? ANY]));

/** The row of an event type, by its id. */
export function filterRow(eventType: number): FilterRow {
  return rowById.get(eventType) ?? ANY;
}

/** What is known of the result's fields, of all event types. */
function resultFacts(failed: boolean, results: readonly string[] = []): Readonly<Record<string, Fact>> {
  const range: Fact = failed ? { most: -1 } : { least: 0 };
  return {
    "evt.failed": surely(failed),
    "evt.res": failed ? { other: "SUCCESS" } : only("SUCCESS"),
    ...Object.fromEntries(["evt.rawres", ...results].map((name) => [name, range])),
  };
}

/** Every class that events of a type can be in, with what a person calls it. */
export function classesOf(eventType: number): { class: number; name: string; facts: Readonly<Record<string, Fact>> }[] {
  const { kinds, results } = filterRow(eventType);
  return kinds.flatMap(({ kind, name, facts }) => [
    { class: kind, name: name === "" ? "done" : name, facts: { ...facts, ...resultFacts(false, results) } },
    { class: kind | CLASS_FAILED, name: `failed ${name}`.trim(), facts: { ...facts, ...resultFacts(true, results) } },
  ]);
}
