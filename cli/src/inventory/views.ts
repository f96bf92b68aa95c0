// The inventory as a person reads it: which items a view shows, its columns, and what it joins to them.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type InventoryItem, InventoryItemSchema, Ownership, type Package, Replacement } from "@nightjar/proto";
import { type Plain, toPlain } from "../show/plain.ts";
import { ipAddress, printable, utf8 } from "../show/text.ts";
import type { ItemKind } from "./ask.ts";

type Item<Kind extends ItemKind> = InventoryItem & { what: { case: Kind } };
type What<Kind extends ItemKind> = Extract<InventoryItem["what"], { case: Kind }>["value"];

/** All items by their ids, and what points to them. */
export class Index {
  readonly #items: ReadonlyMap<bigint, InventoryItem>;
  /** For each file the programs that have loaded it, for each executable those that run it. */
  readonly #programs = new Map<bigint, Item<"program">[]>();

  constructor(items: readonly InventoryItem[]) {
    this.#items = new Map(items.map((item) => [item.id, item]));
    for (const item of items) {
      if (!isOf(item, "program")) continue;
      const { loaded, file } = item.what.value;
      for (const id of new Set([...loaded, file])) this.#programs.set(id, [...(this.#programs.get(id) ?? []), item]);
    }
  }

  programs(id: bigint): readonly Item<"program">[] {
    return this.#programs.get(id) ?? [];
  }

  /** The path of a program's executable. */
  pathOf(program: bigint): string {
    const item = this.#items.get(program);
    return item && isOf(item, "program") ? nameOf(item.what.value) : "";
  }
}

export interface View {
  name: string;
  description: string;
  /** What it needs of the aggregator. */
  kinds: readonly ItemKind[];
  columns: readonly string[];
  /** Undefined for an item that it does not show. */
  row: (item: InventoryItem, index: Index) => readonly string[] | undefined;
  /** Of the columns those of numbers. */
  right?: readonly number[];
}

export function isOf<Kind extends ItemKind>(item: InventoryItem, kind: Kind): item is Item<Kind> {
  return item.what.case === kind;
}

/** What programs call themselves and their files must not steer a terminal. */
const shown = (bytes: Uint8Array) => printable(utf8(bytes));
const when = (item: InventoryItem) => (item.firstSeenAt ? timestampDate(item.firstSeenAt).toISOString() : "");
const packageText = (owner: Package | undefined) => (owner ? `${owner.name} ${owner.version || "?"}` : "-");
const rootText = (root: string) => (root === "" ? "host" : root);
const nameOf = ({ path, script }: What<"program">) =>
  script.length > 0 ? `${shown(path)} ${shown(script)}` : shown(path);
const runs = (programs: readonly Item<"program">[]) => programs.reduce((sum, { what }) => sum + what.value.running, 0);
const portText = ({ protocol, address, port }: What<"port">) =>
  `${PROTOCOLS.get(protocol) ?? protocol} ${ipAddress(address)}:${port}`;
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [6, "tcp"],
  [17, "udp"],
]);

const STATES: ReadonlyMap<Replacement, string> = new Map([
  [Replacement.UNSPECIFIED, ""],
  [Replacement.REPLACED, "replaced on disk"],
  [Replacement.DELETED, "deleted on disk"],
]);

/** Makes the row of a kind's items, and of no others. */
function of<Kind extends ItemKind>(
  kind: Kind,
  row: (value: What<Kind>, item: Item<Kind>, index: Index) => readonly string[] | undefined,
): View["row"] {
  return (item, index) => (isOf(item, kind) ? row(item.what.value as What<Kind>, item, index) : undefined);
}

/** Belongs to no package, nor to an image. */
export function isDrift({ upperLayer, fromMemfd, root, contents }: What<"file">): boolean {
  const isOwnless = root === "" && contents?.ownership === Ownership.NO_PACKAGE;
  return upperLayer || fromMemfd || isOwnless;
}

const FILE_COLUMNS = ["PATH", "PACKAGE", "RUNS IN", "FIRST SEEN", "WHERE", "STATE"];

function fileRow(file: What<"file">, item: InventoryItem, index: Index): readonly string[] {
  const state = STATES.get(file.replacement) ?? "";
  const running = String(runs(index.programs(item.id)));
  return [shown(file.path), packageText(file.contents?.package), running, when(item), rootText(file.root), state];
}

export const VIEWS: readonly View[] = [
  {
    name: "executables",
    description: "Print the executables that ran, with their packages.",
    kinds: ["file", "program"],
    columns: FILE_COLUMNS,
    row: of("file", (file, item, index) => (file.executed ? fileRow(file, item, index) : undefined)),
  },
  {
    name: "libraries",
    description: "Print the libraries that processes have loaded, with their packages.",
    kinds: ["file", "program"],
    columns: FILE_COLUMNS,
    row: of("file", (file, item, index) => (file.mapped || file.interpreted ? fileRow(file, item, index) : undefined)),
  },
  {
    name: "programs",
    description: "Print the programs: each executable by user, unit, container and script.",
    kinds: ["program"],
    columns: ["PROGRAM", "USER", "RUNNING", "COUNT", "SINCE", "UNIT", "CONTAINER"],
    right: [2, 3],
    row: of("program", (program, item) => [
      nameOf(program),
      program.userName || String(program.uid),
      String(program.running),
      String(item.count),
      program.runningSince ? timestampDate(program.runningSince).toISOString() : "",
      program.unit,
      program.containerId.slice(0, 12),
    ]),
  },
  {
    name: "modules",
    description: "Print the kernel modules and the modules of interpreted languages.",
    kinds: ["kernelModule", "module"],
    columns: ["MODULE", "KIND", "STATE"],
    row: (item) => {
      if (isOf(item, "kernelModule")) {
        const { name, loaded } = item.what.value;
        return [name, "kernel", loaded ? "loaded" : "not loaded"];
      }
      if (!isOf(item, "module")) return undefined;
      return [shown(item.what.value.path), item.what.value.language, packageText(item.what.value.package)];
    },
  },
  {
    name: "ports",
    description: "Print the ports that programs take connections or datagrams on.",
    kinds: ["port", "program"],
    columns: ["PORT", "PROGRAMS", "SINCE", "STATE"],
    row: of("port", (port, item, index) => [
      portText(port),
      port.programs.map((program) => index.pathOf(program)).join(", "),
      when(item),
      port.closed ? "closed" : "open",
    ]),
  },
  {
    name: "peers",
    description: "Print where programs connect to.",
    kinds: ["peer", "program"],
    columns: ["PEER", "NAME", "PROGRAM", "COUNT", "FIRST SEEN"],
    right: [3],
    row: of("peer", ({ address, prefixBits, port, name, program }, item, index) => {
      const network = prefixBits < 8 * address.length ? `/${prefixBits}` : "";
      return [`${ipAddress(address)}${network}:${port}`, name, index.pathOf(program), String(item.count), when(item)];
    }),
  },
  {
    name: "containers",
    description: "Print the containers that were seen, with their images.",
    kinds: ["container"],
    columns: ["CONTAINER", "NAME", "IMAGE", "RUNNING", "FIRST SEEN"],
    right: [3],
    row: of("container", ({ container, running }, item) => [
      container?.id ?? "",
      container?.name ?? "",
      container?.image ?? "",
      String(running),
      when(item),
    ]),
  },
  {
    name: "bpf",
    description: "Print the BPF programs that were seen.",
    kinds: ["bpfProgram", "program"],
    columns: ["ID", "NAME", "TYPE", "LOADED BY", "FIRST SEEN"],
    row: of("bpfProgram", ({ programId, name, type, loadedBy }, item, index) => [
      String(programId),
      name,
      String(type),
      index.pathOf(loadedBy),
      when(item),
    ]),
  },
  {
    name: "logins",
    description: "Print who logged in.",
    kinds: ["login"],
    columns: ["USER", "UID", "TERMINAL", "FIRST SEEN"],
    row: of("login", ({ userName, uid, terminal }, item) => [userName, String(uid), terminal, when(item)]),
  },
  {
    name: "drift",
    description: "Print what ran or was loaded and belongs to no package and no image.",
    kinds: ["file", "program"],
    columns: FILE_COLUMNS,
    row: of("file", (file, item, index) => (isDrift(file) ? fileRow(file, item, index) : undefined)),
  },
];

/** An item as JSON, with the programs that have it where it is a file. */
export function itemJson(item: InventoryItem, index: Index): { [name: string]: Plain } {
  const plain = toPlain(InventoryItemSchema, item);
  if (!isOf(item, "file")) return plain;
  const programs = index.programs(item.id).map(({ id, what }) => ({
    id: String(id),
    path: utf8(what.value.path),
    pids: what.value.processes.map(({ pid }) => pid),
    running: what.value.running,
  }));
  return { ...plain, programs };
}
