// The process tree as batches without events: what a recording begins with, and how a tree is made of them again.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type BatchReader, WireError } from "@nightjar/events";
import { type Batch, BatchSchema, ExecSchema, type Process } from "@nightjar/proto";
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
  /** An encoded Exec; undefined where none is known. */
  image: Uint8Array | undefined;
}

/**
 * Encoded batches with an empty range and the given processes, their ancestors with them, in their tables; none is
 * larger than `bytesMax` unless a single process is. Each stands for itself: an ancestor may be in several.
 */
export function* writeSnapshot(
  nodes: Iterable<ProcessNode>,
  { place, table, names, bytesMax }: SnapshotOptions,
): Generator<Uint8Array> {
  const position = BigInt(place.next);
  const { bootId, epoch, bootTimeUnixNs } = place;
  const range = { firstPosition: position, nextPosition: position };
  const head = toBinary(BatchSchema, create(BatchSchema, { bootId, epoch, bootTimeUnixNs, ...range }));
  table.begin(names);
  let bytes = head.length;
  let rows = 0;
  for (const node of nodes) {
    table.lineOf(node);
    const added = sizeOf(table, rows);
    if (rows > 0 && bytes + added > bytesMax) {
      yield encode(head, table, rows, bytes);
      table.begin(names);
      table.lineOf(node);
      bytes = head.length + sizeOf(table, 0);
    } else bytes += added;
    rows = table.length;
  }
  if (rows > 0) yield encode(head, table, rows, bytes);
}

function sizeOf(table: ProcessTable, from: number): number {
  let bytes = 0;
  for (let row = from; row < table.length; row++) bytes += table.rowSize(row, undefined);
  return bytes;
}

/** The first `rows` rows; a row's parent never lies behind those that were added with it. */
function encode(head: Uint8Array, table: ProcessTable, rows: number, bytes: number): Uint8Array {
  const batch = new Uint8Array(bytes);
  batch.set(head);
  let offset = head.length;
  for (let row = 0; row < rows; row++) offset = table.writeRow(batch, offset, row, undefined);
  return batch;
}

/**
 * The rows of a batch's table of processes.
 * @throws WireError when it is no table: rows that are no messages, a parent that is not there.
 */
export function readSnapshot(reader: BatchReader): Process[] {
  const { processes } = decode(reader.bytes);
  if (processes.some(({ parent }) => parent > processes.length))
    throw new WireError("a process whose parent is not in its batch", 0);
  return processes;
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
      image: process.image && toBinary(ExecSchema, process.image),
    };
  });
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

  user(uid: number): Uint8Array {
    return this.#users.get(uid) ?? NO_NAME;
  }

  group(gid: number): Uint8Array {
    return this.#groups.get(gid) ?? NO_NAME;
  }
}

const NO_NAME = new Uint8Array(0);
