// The process tree as batches without events: what a recording begins with, and how a tree is made of them again.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type BatchReader, tagOf, varintSize, WIRE_VARINT, WireError, writeVarint } from "@nightjar/events";
import { type Batch, BatchSchema, ContainerSchema, ExecSchema, ExecutableSchema, type Process } from "@nightjar/proto";
import type { Row } from "./context/row.ts";
import type { SeededContext } from "./context/seeded.ts";
import type { Context } from "./context/source.ts";
import type { ProcessNode } from "./node.ts";
import { type Moment, NANOSECONDS_PER_TICK } from "./scan.ts";
import type { ProcessTable } from "./table.ts";
import { ID_UNKNOWN, type UserNames } from "./users.ts";

/** Processes of which /proc is asked for the rest before a snapshot: about 0.2 ms each, and events wait meanwhile. */
export const SNAPSHOT_COMPLETIONS_MAX = 2_000;

/** Of what a snapshot speaks: whose processes, and up to which position their events are in it. */
export interface SnapshotPlace {
  bootId: Uint8Array;
  epoch: bigint;
  next: number;
  bootTimeUnixNs: bigint;
}

export interface SnapshotOptions {
  place: SnapshotPlace;
  /** The table that the nodes are put into for batches too: a node remembers where it stands in one only. */
  table: ProcessTable;
  names: UserNames;
  context: Context;
  bytesMax: number;
}

/** A process as another tree knew it. */
export interface SeedProcess {
  pid: number;
  start: Moment;
  startIsExact: boolean;
  execTime: Moment;
  /** Its parent's index in the same list, -1 for none. */
  parent: number;
  name: Uint8Array;
  uid: number;
  gid: number;
  origin: Process["origin"];
  /** When it ended, ns; 0 while it runs. */
  exitTime: number;
  /** An encoded Exec; undefined where none is known. */
  image: Uint8Array | undefined;
}

/**
 * Encoded batches with an empty range and the given processes, their ancestors with them, in their tables; none is
 * larger than `bytesMax` unless a single process is. Each stands for itself: an ancestor may be in several.
 */
export function* writeSnapshot(
  nodes: Iterable<ProcessNode>,
  { place, table, names, context, bytesMax }: SnapshotOptions,
): Generator<Uint8Array> {
  const head = encodeHead(place);
  const begin = () => {
    table.begin(names, context, { withStates: true });
    table.containers.begin(withEvents);
  };
  begin();
  let taken = countOf(table);
  let bytes = head.length;
  for (const node of nodes) {
    table.lineOf(node);
    const added = sizeFrom(table, taken);
    if (taken.processes > 0 && bytes + added > bytesMax) {
      yield encode(head, table, taken, bytes);
      begin();
      table.lineOf(node);
      bytes = head.length + sizeFrom(table, NO_ROWS);
    } else bytes += added;
    taken = countOf(table);
  }
  if (taken.processes > 0) yield encode(head, table, taken, bytes);
}

/** An encoded batch without events, with all rows of the table as it is now. */
export function encodeTable(place: SnapshotPlace, table: ProcessTable): Uint8Array {
  const head = encodeHead(place);
  return encode(head, table, countOf(table), head.length + sizeFrom(table, NO_ROWS));
}

function encodeHead({ bootId, epoch, bootTimeUnixNs, next }: SnapshotPlace): Uint8Array {
  const position = BigInt(next);
  const range = { firstPosition: position, nextPosition: position };
  return toBinary(BatchSchema, create(BatchSchema, { bootId, epoch, bootTimeUnixNs, ...range }));
}

/** A container as the answer to who asks tells it: with how many events there were. */
function withEvents({ bytes, events }: Row): Uint8Array {
  const tag = tagOf(ContainerSchema.field.events.number, WIRE_VARINT);
  const counted = new Uint8Array(bytes.length + varintSize(tag) + varintSize(events));
  counted.set(bytes);
  writeVarint(counted, writeVarint(counted, bytes.length, tag), events);
  return counted;
}

/** How many rows of each table. */
interface RowCounts {
  processes: number;
  containers: number;
  executables: number;
}

const NO_ROWS: RowCounts = { processes: 0, containers: 0, executables: 0 };

function countOf({ length, containers, executables }: ProcessTable): RowCounts {
  return { processes: length, containers: containers.length, executables: executables.length };
}

/** Bytes of the rows behind the first so many. */
function sizeFrom(table: ProcessTable, from: RowCounts): number {
  const { containers, executables } = table;
  let bytes = 0;
  for (let row = from.processes; row < table.length; row++) bytes += table.rowSize(row, EVERYWHERE);
  for (let row = from.containers; row < containers.length; row++) bytes += containers.rowSize(row);
  for (let row = from.executables; row < executables.length; row++) bytes += executables.rowSize(row);
  return bytes;
}

/** All rows stand where they stand in the whole tables. */
const EVERYWHERE = {};

/** The first so many rows; what a row points to never lies behind those that were added with it. */
function encode(head: Uint8Array, table: ProcessTable, rows: RowCounts, bytes: number): Uint8Array {
  const { containers, executables } = table;
  const batch = new Uint8Array(bytes);
  batch.set(head);
  let offset = head.length;
  for (let row = 0; row < rows.processes; row++) offset = table.writeRow(batch, offset, row, EVERYWHERE);
  for (let row = 0; row < rows.containers; row++) offset = containers.writeRow(batch, offset, row);
  for (let row = 0; row < rows.executables; row++) offset = executables.writeRow(batch, offset, row);
  return batch;
}

/** The tables of a snapshot. */
export type Snapshot = Pick<Batch, "processes" | "containers" | "executables">;

/**
 * The rows of a batch's tables.
 * @throws WireError when they are none: rows that are no messages, or point to what is not there.
 */
export function readSnapshot(reader: BatchReader): Snapshot {
  const { processes, containers, executables } = decode(reader.bytes);
  if (processes.some(({ parent }) => parent > processes.length))
    throw new WireError("a process whose parent is not in its batch", 0);
  if (processes.some(({ container }) => container > containers.length))
    throw new WireError("a process whose container is not in its batch", 0);
  if (processes.some(({ executable }) => executable > executables.length))
    throw new WireError("a process whose executable is not in its batch", 0);
  return { processes, containers, executables };
}

function decode(bytes: Uint8Array): Batch {
  try {
    return fromBinary(BatchSchema, bytes);
  } catch (error) {
    throw new WireError(`a table of processes that is none: ${(error as Error).message}`, 0);
  }
}

/** The same as a tree takes them in. */
export function seedOf(processes: readonly Process[]): SeedProcess[] {
  return processes.map((process) => {
    const start = momentOfBigint(process.startTimeNs);
    return {
      pid: process.pid,
      start,
      startIsExact: process.startTimeNs % BigInt(NANOSECONDS_PER_TICK) !== 0n,
      execTime: momentOfBigint(process.execTimeNs),
      parent: process.parent - 1,
      name: process.name.slice(),
      uid: process.uid,
      gid: process.gid,
      origin: process.origin,
      exitTime: Number(process.exitTimeNs),
      image: process.image && toBinary(ExecSchema, process.image),
    };
  });
}

/** Teaches what the rows say of containers and executables; `seeds` are the processes as `seedOf` gave them. */
export function learnContext(context: SeededContext, snapshot: Snapshot, seeds: readonly SeedProcess[]): void {
  for (const [index, { image }] of seeds.entries()) {
    const { container = 0, executable = 0 } = snapshot.processes[index] ?? {};
    const containerRow = snapshot.containers[container - 1];
    const executableRow = snapshot.executables[executable - 1];
    // How many events there were is for who asked then.
    if (image && containerRow) context.containers.learn(image, ContainerSchema, { ...containerRow, events: 0n });
    if (image && executableRow) context.executables.learn(image, ExecutableSchema, executableRow);
  }
}

function momentOfBigint(ns: bigint): Moment {
  return { low: Number(ns & 0xffff_ffffn), high: Number(ns >> 32n) };
}

/** Users' names as a snapshot has them: those of the host that was recorded. */
export class SeededNames implements UserNames {
  generation = 0;
  readonly #users = new Map<number, Uint8Array>();
  readonly #groups = new Map<number, Uint8Array>();

  /** Learns the names in a batch's table. */
  learn(processes: readonly Process[]): void {
    const encoder = new TextEncoder();
    const learn = (names: Map<number, Uint8Array>, id: number, name: string) => {
      if (name !== "" && id !== ID_UNKNOWN && !names.has(id)) names.set(id, encoder.encode(name));
    };
    for (const process of processes) {
      learn(this.#users, process.uid, process.userName);
      learn(this.#groups, process.gid, process.groupName);
      if (process.image) learn(this.#users, process.image.loginUid, process.loginUserName);
    }
    this.generation++;
  }

  of(): UserNames {
    return this;
  }

  user(uid: number): Uint8Array {
    return this.#users.get(uid) ?? NO_NAME;
  }

  group(gid: number): Uint8Array {
    return this.#groups.get(gid) ?? NO_NAME;
  }
}

const NO_NAME = new Uint8Array(0);
