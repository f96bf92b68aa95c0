// A batch's tables: the processes its events point to, each version once, with ancestors, containers and executables.
import { tagOf, varintSize, WIRE_BYTES, WIRE_VARINT, writeVarint } from "@nightjar/events";
import { BatchSchema, ProcessSchema } from "@nightjar/proto";
import { lookUp } from "./context/find.ts";
import { NO_CONTEXT } from "./context/nothing.ts";
import type { Context } from "./context/source.ts";
import type { Image, ProcessNode } from "./node.ts";
import { RowTable } from "./row-table.ts";
import type { EventHeader } from "./scan.ts";
import type { UserNames } from "./users.ts";

/** Ancestors given with a process. Lines longer than this lose the end at the root. */
export const ANCESTORS_MAX = 32;

/** Processes whose encoded heads are kept for the next batch; of 100,000 they would take 35 MB. */
const HEADS_KEPT_MAX = 4_096;

const BATCH = BatchSchema.field;
const PROCESS = ProcessSchema.field;
const ROW_TAG = tagOf(BATCH.processes.number, WIRE_BYTES);
const PARENT_TAG = tagOf(PROCESS.parent.number, WIRE_VARINT);
const SESSION_LEADER_TAG = tagOf(PROCESS.sessionLeader.number, WIRE_VARINT);
const GROUP_LEADER_TAG = tagOf(PROCESS.processGroupLeader.number, WIRE_VARINT);
const CONTAINER_TAG = tagOf(PROCESS.container.number, WIRE_VARINT);
const EXECUTABLE_TAG = tagOf(PROCESS.executable.number, WIRE_VARINT);

/** Finds who leads the session or group with this number that a process is in. */
export type LeaderLookup = (member: ProcessNode, pid: number) => ProcessNode | undefined;

const NO_LEADERS: LeaderLookup = () => undefined;

export interface RowOptions {
  /** Without it, rows have no leaders. */
  leaderOf?: LeaderLookup;
  /** Rows say why the tree has the process. */
  withStates?: boolean;
}

/** Where rows of the whole tables stand in those of a part, -1 where they do not; undefined: the same everywhere. */
export interface Places {
  processes?: Int32Array;
  containers?: Int32Array;
  executables?: Int32Array;
}

/** Rows as parts that are only joined when they are written; indices are from 0, -1 is no row. */
export class ProcessTable {
  readonly heads: Uint8Array[] = [];
  readonly images: (Image | undefined)[] = [];
  readonly parents: number[] = [];
  /** Of those that act: the rows of their leaders who are none of their ancestors. */
  readonly sessionLeaders: number[] = [];
  readonly groupLeaders: number[] = [];
  /** For each row its container's and its executable's in their tables. */
  readonly containerRows: number[] = [];
  readonly executableRows: number[] = [];
  readonly containers = new RowTable(BATCH.containers.number);
  readonly executables = new RowTable(BATCH.executables.number);
  #stamp = 0;
  #names: UserNames;
  #context: Context = NO_CONTEXT;
  #leaderOf = NO_LEADERS;
  #withStates = false;
  /** The processes whose heads were encoded last, in a ring. */
  readonly #encoded: ProcessNode[] = [];
  #encodedNext = 0;
  /** Whether a row's leaders have been looked for. */
  readonly #isLed: boolean[] = [];

  constructor(names: UserNames) {
    this.#names = names;
  }

  get length(): number {
    return this.heads.length;
  }

  /** Empties the tables for another batch. */
  begin(names: UserNames, context: Context, { leaderOf = NO_LEADERS, withStates = false }: RowOptions = {}): void {
    this.#names = names;
    this.#leaderOf = leaderOf;
    this.#withStates = withStates;
    this.#context = context;
    this.#stamp++;
    this.heads.length = this.images.length = this.parents.length = 0;
    this.sessionLeaders.length = this.groupLeaders.length = this.#isLed.length = 0;
    this.containerRows.length = this.executableRows.length = 0;
    this.containers.begin();
    this.executables.begin();
  }

  /** The row of a process that acts, as it is now: added with its ancestors and leaders where it is not there yet. */
  rowOf(node: ProcessNode): number {
    const row = this.lineOf(node);
    if (this.#isLed[row]) return row;
    this.#isLed[row] = true;
    const { image } = node;
    if (image) {
      this.sessionLeaders[row] = this.#leaderRow(node, image.sessionId);
      this.groupLeaders[row] = this.#leaderRow(node, image.processGroupId);
    }
    return row;
  }

  /** The same without leaders. */
  lineOf(node: ProcessNode): number {
    if (node.tableStamp === this.#stamp) return node.tableIndex;
    const row = this.#add(node);
    let below = row;
    let above = node.parent;
    for (let depth = 0; above && depth < ANCESTORS_MAX; depth++) {
      const isThere = above.tableStamp === this.#stamp;
      const index = isThere ? above.tableIndex : this.#add(above);
      this.parents[below] = index;
      // What is there has its own ancestors already.
      if (isThere) break;
      below = index;
      above = above.parent;
    }
    return row;
  }

  #leaderRow(node: ProcessNode, pid: number): number {
    if (pid === 0 || pid === node.pid) return -1;
    let above = node.parent;
    for (let depth = 0; above && depth < ANCESTORS_MAX; depth++) {
      if (above.pid === pid) return -1;
      above = above.parent;
    }
    const leader = this.#leaderOf(node, pid);
    return leader === undefined ? -1 : this.lineOf(leader);
  }

  /** The row in `executables` of the file that a library event tells of, -1 where nothing is known of it. */
  mappedBy({ pid, dataStart, dataEnd }: EventHeader, bytes: Uint8Array): number {
    const source = this.#context.executables;
    const library = bytes.subarray(dataStart, dataEnd);
    return this.executables.indexOf(lookUp(source, source.keyOfLibrary(library), pid, library));
  }

  #add(node: ProcessNode): number {
    const index = this.heads.length;
    const { image } = node;
    const head = node.headOf(this.#names) ?? this.#encodeHead(node);
    this.heads.push(this.#withStates ? Buffer.concat([head, node.encodeState()]) : head);
    this.images.push(image);
    this.parents.push(-1);
    this.sessionLeaders.push(-1);
    this.groupLeaders.push(-1);
    this.#isLed.push(false);
    this.containerRows.push(this.containers.indexOf(image?.container(this.#context.containers, node.pid)));
    this.executableRows.push(this.executables.indexOf(image?.executable(this.#context.executables, node.pid)));
    node.tableStamp = this.#stamp;
    node.tableIndex = index;
    return index;
  }

  #encodeHead(node: ProcessNode): Uint8Array {
    this.#encoded[this.#encodedNext]?.forgetHead();
    this.#encoded[this.#encodedNext] = node;
    this.#encodedNext = (this.#encodedNext + 1) % HEADS_KEPT_MAX;
    return node.encodeHead(this.#names);
  }

  /** Bytes the row takes in a batch whose tables have these places. */
  rowSize(row: number, places: Places): number {
    const contents = this.#contentsSize(row, places);
    return varintSize(ROW_TAG) + varintSize(contents) + contents;
  }

  /** Writes the row and returns the offset behind it. */
  writeRow(bytes: Uint8Array, offset: number, row: number, places: Places): number {
    const head = this.heads[row] as Uint8Array;
    const image = this.images[row];
    let position = writeVarint(bytes, writeVarint(bytes, offset, ROW_TAG), this.#contentsSize(row, places));
    bytes.set(head, position);
    position += head.length;
    if (image) position = image.writeField(bytes, position);
    position = writeLink(bytes, position, PARENT_TAG, this.parents[row], places.processes);
    position = writeLink(bytes, position, SESSION_LEADER_TAG, this.sessionLeaders[row], places.processes);
    position = writeLink(bytes, position, GROUP_LEADER_TAG, this.groupLeaders[row], places.processes);
    position = writeLink(bytes, position, CONTAINER_TAG, this.containerRows[row], places.containers);
    return writeLink(bytes, position, EXECUTABLE_TAG, this.executableRows[row], places.executables);
  }

  #contentsSize(row: number, places: Places): number {
    const head = this.heads[row] as Uint8Array;
    return (
      head.length +
      (this.images[row]?.fieldSize ?? 0) +
      linkSize(PARENT_TAG, this.parents[row], places.processes) +
      linkSize(SESSION_LEADER_TAG, this.sessionLeaders[row], places.processes) +
      linkSize(GROUP_LEADER_TAG, this.groupLeaders[row], places.processes) +
      linkSize(CONTAINER_TAG, this.containerRows[row], places.containers) +
      linkSize(EXECUTABLE_TAG, this.executableRows[row], places.executables)
    );
  }
}

/** A row as the message has it: its index plus one, 0 for none. */
function linkTo(row: number | undefined, places: Int32Array | undefined): number {
  if (row === undefined || row < 0) return 0;
  return places === undefined ? row + 1 : (places[row] as number) + 1;
}

function linkSize(tag: number, row: number | undefined, places: Int32Array | undefined): number {
  const link = linkTo(row, places);
  return link === 0 ? 0 : varintSize(tag) + varintSize(link);
}

function writeLink(
  bytes: Uint8Array,
  offset: number,
  tag: number,
  row: number | undefined,
  places: Int32Array | undefined,
): number {
  const link = linkTo(row, places);
  return link === 0 ? offset : writeVarint(bytes, writeVarint(bytes, offset, tag), link);
}
