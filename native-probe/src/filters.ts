// Compiles an interest into rows of the kernel's maps for filters; what each means stands in bpf/shared.h.
import { EVERY_CLASS, type PathInterest, type TypeInterest } from "@nightjar/proto";

/** The limits and sizes of bpf/shared.h; a test compares them. */
export const FILTER = {
  EVENT_TYPE_IDS_MAX: 256,
  FILTER_KEYS_MAX: 8192,
  FILTER_PATHS_MAX: 4096,
  FILTER_NAME_SIZE: 24,
  FILTER_END_SIZE_MAX: 8,
  FILTER_LENGTHS_MAX: 2,
  FILTER_PATH_SIZE: 248,
  FILTER_SCREEN_BITS: 65_536,
} as const;

/** enum filter_kind. */
export const KINDS = [
  "FILTER_LEAF",
  "FILTER_LEAF_BEGIN",
  "FILTER_LEAF_END",
  "FILTER_PARENT",
  "FILTER_ANCESTOR",
  "FILTER_COMMAND",
  "FILTER_REMOTE_PORT",
  "FILTER_LOCAL_PORT",
] as const;
type Kind = (typeof KINDS)[number];

/** Of these, the kernel asks the screen only: what it shows is looked up as a whole path. */
const ONLY_SCREENED: ReadonlySet<Kind> = new Set(["FILTER_PARENT", "FILTER_ANCESTOR"]);

const TYPE_FILTER_SIZE = 16;
const KEY_SIZE = 8 + FILTER.FILTER_NAME_SIZE;
/** struct filter_key and struct filter_classes. */
const KEY_ROW_SIZE = KEY_SIZE + 4;
const PATH_KEY_SIZE = 8 + FILTER.FILTER_PATH_SIZE;
/** struct filter_path and its classes. */
const PATH_ROW_SIZE = PATH_KEY_SIZE + 4;
const CLASSES = 8;
const COMMAND_BYTES_MAX = 15;
const LENGTH_MAX = 255;

// The members of struct type_filter, by their place.
const MEMBERS = [
  "everything",
  "paths",
  "commands",
  "ports",
  "otherRemotePorts",
  "otherLocalPorts",
  "parents",
  "ancestors",
  "walks",
] as const;
type Row = Record<(typeof MEMBERS)[number], number>;

/** How keys that are parts of names are cut: lengths that are in use, and what shorter parts than that are cut to. */
const PART_KINDS = ["FILTER_LEAF_BEGIN", "FILTER_LEAF_END"] as const;
type PartKind = (typeof PART_KINDS)[number];

/** Where `folded` stands, behind the lengths. */
const FOLDED_AT = MEMBERS.length + PART_KINDS.length * FILTER.FILTER_LENGTHS_MAX;

/** Parts of names of at least so many bytes are cut to the shortest of them, the shorter ones to theirs. */
const LONG_PART_BYTES = 4;

/** Rows of the maps, one after the other. */
export interface FilterTables {
  filters: Uint8Array;
  screen: Uint8Array;
  keys: Uint8Array;
  paths: Uint8Array;
  /** Event types that are wanted whole although an interest narrows them: the maps had no room for their keys. */
  widened: number[];
}

/** A key of the map `filter_keys` in the making; `pass` and `walk` are sets of classes. */
interface Key {
  kind: Kind;
  /** The length of the whole name. */
  length: number;
  name: Uint8Array;
  pass: number;
  walk: number;
}

interface Compiled {
  type: number;
  row: Row;
  lengths: Record<PartKind, number[]>;
  folded: number;
  keys: Map<string, Key>;
  /** Beginnings of paths, or whole paths with a NUL, as binary strings. */
  paths: Map<string, number>;
}

const utf8 = new TextEncoder();

/** Makes the tables for what is wanted of each event type, by its id. Types that are not there are not wanted. */
export function compileFilters(interests: ReadonlyMap<number, TypeInterest>): FilterTables {
  const compiled = [...interests.values()].map(compileType);
  const widened: number[] = [];
  // Those with the most keys give way first.
  const bySize = [...compiled].sort((one, other) => sizeOf(other) - sizeOf(one));
  const isTooLarge = () =>
    compiled.reduce((sum, { keys }) => sum + keys.size, 0) > FILTER.FILTER_KEYS_MAX ||
    compiled.reduce((sum, { paths }) => sum + paths.size, 0) > FILTER.FILTER_PATHS_MAX;
  for (const each of bySize) {
    if (!isTooLarge()) break;
    each.row.everything = EVERY_CLASS;
    each.keys.clear();
    each.paths.clear();
    widened.push(each.type);
  }
  return { ...tablesOf(compiled), widened };
}

function sizeOf({ keys, paths }: Compiled): number {
  return keys.size + paths.size;
}

function compileType(interest: TypeInterest): Compiled {
  const row = Object.fromEntries(MEMBERS.map((member) => [member, 0])) as Row;
  row.everything = interest.everything;
  row.otherRemotePorts = interest.otherRemotePorts;
  row.otherLocalPorts = interest.otherLocalPorts;
  row.ports = row.otherRemotePorts | row.otherLocalPorts;
  const lengths = {
    FILTER_LEAF_BEGIN: lengthsOf(interest.paths.map(({ leafBegin }) => leafBegin)),
    // An end with a slash tells the last component.
    FILTER_LEAF_END: lengthsOf(interest.paths.map(({ end }) => (end.includes("/") ? "" : end))),
  };
  const compiled: Compiled = {
    type: interest.eventType,
    row,
    lengths,
    folded: interest.folded,
    keys: new Map(),
    paths: new Map(),
  };
  for (const path of interest.paths) compilePath(compiled, path);
  for (const { name, classes } of interest.commands) {
    row.commands |= classes;
    addKey(compiled, "FILTER_COMMAND", utf8.encode(name).subarray(0, COMMAND_BYTES_MAX), { pass: classes }, 0);
  }
  const ports = [
    ["FILTER_REMOTE_PORT", interest.remotePorts],
    ["FILTER_LOCAL_PORT", interest.localPorts],
  ] as const;
  for (const [kind, list] of ports) {
    for (const { port, classes } of list) {
      row.ports |= classes;
      addKey(compiled, kind, Uint8Array.of(port, port >> 8, port >> 16), { pass: classes }, 0);
    }
  }
  return compiled;
}

type Classes = { pass?: number; walk?: number };

function addKey({ keys }: Compiled, kind: Kind, text: Uint8Array, classes: Classes, length = text.length): void {
  const name = text.subarray(0, FILTER.FILTER_NAME_SIZE);
  const key = { kind, length: Math.min(length, LENGTH_MAX), name };
  const id = `${kind} ${key.length} ${name.join(",")}`;
  const { pass = 0, walk = 0 } = keys.get(id) ?? {};
  keys.set(id, { ...key, pass: pass | (classes.pass ?? 0), walk: walk | (classes.walk ?? 0) });
}

function addPath({ paths }: Compiled, path: string, classes: number): void {
  const bytes = String.fromCharCode(...utf8.encode(path).subarray(0, FILTER.FILTER_PATH_SIZE));
  paths.set(bytes, (paths.get(bytes) ?? 0) | classes);
}

/**
 * A path is found by one of its components, the rarest that is known, and then looked up among the beginnings of paths
 * where more of it is known than a key can hold.
 */
function compilePath(compiled: Compiled, { classes, whole, begin, end, leaf, leafBegin, directory }: PathInterest) {
  const { row } = compiled;
  row.paths |= classes;
  const beginning = whole ? `${whole}\0` : directory ? `${directory}/`.replace("//", "/") : begin;
  // What begins without a slash is the rest of a path that was too deep, and such a one passes when it is looked up.
  if (beginning.startsWith("/")) addPath(compiled, beginning, classes);
  const told = beginning === "" ? { pass: classes } : { walk: classes };
  const name = leaf || lastComponent(whole) || (end.includes("/") ? lastComponent(end) : "");
  if (name) return addKey(compiled, "FILTER_LEAF", utf8.encode(name), told);
  if (end && !end.includes("/")) return addPart(compiled, "FILTER_LEAF_END", end, told);
  if (leafBegin) return addPart(compiled, "FILTER_LEAF_BEGIN", leafBegin, told);
  if (beginning === "" || beginning === "/") {
    row.everything |= classes;
    return;
  }
  const parent = directory.startsWith("/") ? lastComponent(directory) : "";
  if (parent) {
    row.parents |= classes;
    return addKey(compiled, "FILTER_PARENT", utf8.encode(parent), told);
  }
  const above = begin.startsWith("/") && !whole && !directory ? begin.slice(0, begin.lastIndexOf("/")) : "";
  if (lastComponent(above)) {
    row.ancestors |= classes;
    return addKey(compiled, "FILTER_ANCESTOR", utf8.encode(lastComponent(above)), told);
  }
  row.walks |= classes;
}

/** What stands behind the last slash; nothing where there is no slash. */
function lastComponent(path: string): string {
  return path.includes("/") ? path.slice(path.lastIndexOf("/") + 1) : "";
}

/** The lengths in which parts of names are compared, so few that the kernel needs no loop. */
function lengthsOf(parts: readonly string[]): number[] {
  const sizes = parts
    .map((part) => Math.min(utf8.encode(part).length, FILTER.FILTER_END_SIZE_MAX))
    .filter((size) => size > 0);
  const used = [...new Set(sizes)];
  if (used.length <= FILTER.FILTER_LENGTHS_MAX) return used;
  const short = used.filter((size) => size < LONG_PART_BYTES);
  const long = used.filter((size) => size >= LONG_PART_BYTES);
  return [short, long].filter((group) => group.length > 0).map((group) => Math.min(...group));
}

/** How a name begins or ends, cut to the longest length that it is compared in. */
function addPart(compiled: Compiled, kind: PartKind, text: string, classes: Classes): void {
  const bytes = utf8.encode(text);
  const length = Math.max(...compiled.lengths[kind].filter((each) => each <= bytes.length));
  addKey(compiled, kind, kind === "FILTER_LEAF_BEGIN" ? bytes.subarray(0, length) : bytes.slice(-length), classes);
}

function tablesOf(compiled: readonly Compiled[]): Omit<FilterTables, "widened"> {
  const filters = new Uint8Array(FILTER.EVENT_TYPE_IDS_MAX * TYPE_FILTER_SIZE);
  const screen = new Uint8Array(FILTER.FILTER_SCREEN_BITS / 8);
  const keyRows: Uint8Array[] = [];
  const pathRows: Uint8Array[] = [];
  for (const { type, row, lengths, folded, keys, paths } of compiled) {
    const at = type * TYPE_FILTER_SIZE;
    filters.set(
      MEMBERS.map((member) => row[member]),
      at,
    );
    for (const [index, kind] of PART_KINDS.entries())
      filters.set(lengths[kind], at + MEMBERS.length + index * FILTER.FILTER_LENGTHS_MAX);
    filters[at + FOLDED_AT] = folded;
    for (const key of keys.values()) {
      if (!ONLY_SCREENED.has(key.kind)) keyRows.push(keyRow(type, key));
      for (let of = 0; of < CLASSES; of++) if (((key.pass | key.walk) >> of) & 1) setBit(screen, hashOf(type, of, key));
    }
    for (const [path, classes] of paths) pathRows.push(pathRow(type, path, classes | classesOfBeginnings(paths, path)));
  }
  return { filters, screen, keys: concat(keyRows), paths: concat(pathRows) };
}

/** Only the longest beginning of a path is found, so it has the classes of the shorter ones too. */
function classesOfBeginnings(paths: ReadonlyMap<string, number>, path: string): number {
  let classes = 0;
  for (let end = 1; end < path.length; end++) classes |= paths.get(path.slice(0, end)) ?? 0;
  return classes;
}

function keyRow(type: number, { kind, length, name, pass, walk }: Key): Uint8Array {
  const row = new Uint8Array(KEY_ROW_SIZE);
  row.set([0, type, KINDS.indexOf(kind), length]);
  row.set(name, 8);
  row.set([pass, walk], KEY_SIZE);
  return row;
}

function pathRow(type: number, path: string, classes: number): Uint8Array {
  const row = new Uint8Array(PATH_ROW_SIZE);
  const view = new DataView(row.buffer);
  view.setUint32(0, 8 * (2 + path.length), true);
  row[5] = type;
  for (let at = 0; at < path.length; at++) row[6 + at] = path.charCodeAt(at);
  view.setUint32(PATH_KEY_SIZE, classes, true);
  return row;
}

const HASH_WORD = 0x9e3779b97f4a7c15n;
const HASH_SALT = 0xc2b2ae3d27d4eb4fn;

/** filter_screened() of bpf/filter.h: by the length and the first 8 bytes. */
function hashOf(type: number, of: number, { kind, length, name }: Key): number {
  const word = new DataView(Uint8Array.from({ length: 8 }, (_, at) => name[at] ?? 0).buffer).getBigUint64(0, true);
  const salt = (BigInt(length) << 24n) | BigInt((type << 16) | (KINDS.indexOf(kind) << 8) | of);
  const mixed = BigInt.asUintN(64, (BigInt.asUintN(64, word * HASH_WORD) ^ salt) * HASH_SALT);
  return Number(BigInt.asUintN(64, (mixed ^ (mixed >> 29n)) * HASH_WORD) >> 48n);
}

function setBit(screen: Uint8Array, bit: number): void {
  screen[bit >> 3] = (screen[bit >> 3] as number) | (1 << (bit & 7));
}

function concat(rows: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}
