// A batch's table of processes: the rows its events point to, each version of a process once, with its ancestors.
import { tagOf, varintSize, WIRE_BYTES, WIRE_VARINT, writeVarint } from "@nightjar/events";
import { BatchSchema, ProcessSchema } from "@nightjar/proto";
import type { Image, ProcessNode } from "./node.ts";
import type { UserNames } from "./users.ts";

/** Ancestors given with a process. Lines longer than this lose the end at the root. */
export const ANCESTORS_MAX = 32;

/** Processes whose encoded heads are kept for the next batch; of 100,000 they would take 35 MB. */
const HEADS_KEPT_MAX = 4_096;

const ROW_TAG = tagOf(BatchSchema.field.processes.number, WIRE_BYTES);
const PARENT_TAG = tagOf(ProcessSchema.field.parent.number, WIRE_VARINT);
const SESSION_LEADER_TAG = tagOf(ProcessSchema.field.sessionLeader.number, WIRE_VARINT);
const GROUP_LEADER_TAG = tagOf(ProcessSchema.field.processGroupLeader.number, WIRE_VARINT);

/** Finds who leads the session or group with this number that a process is in. */
export type LeaderLookup = (member: ProcessNode, pid: number) => ProcessNode | undefined;

const NO_LEADERS: LeaderLookup = () => undefined;

/**
 * Where the rows of the table stand in what is written, -1 for those that are not; undefined where all are, in the
 * table's order.
 */
export type Places = Int32Array | undefined;

/** Rows as parts that are only joined when they are written; indices are from 0, -1 is no row. */
export class ProcessTable {
  readonly heads: Uint8Array[] = [];
  readonly images: (Image | undefined)[] = [];
  readonly parents: number[] = [];
  /** Of those that act: the rows of their leaders who are none of their ancestors. */
  readonly sessionLeaders: number[] = [];
  readonly groupLeaders: number[] = [];
  #stamp = 0;
  #names: UserNames;
  #leaderOf = NO_LEADERS;
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

  /** Empties the table for another batch. */
  begin(names: UserNames, leaderOf = NO_LEADERS): void {
    this.#names = names;
    this.#leaderOf = leaderOf;
    this.#stamp++;
    this.heads.length = this.images.length = this.parents.length = 0;
    this.sessionLeaders.length = this.groupLeaders.length = this.#isLed.length = 0;
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

  #add(node: ProcessNode): number {
    const index = this.heads.length;
    this.heads.push(node.headOf(this.#names) ?? this.#encodeHead(node));
    this.images.push(node.image);
    this.parents.push(-1);
    this.sessionLeaders.push(-1);
    this.groupLeaders.push(-1);
    this.#isLed.push(false);
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

  /** Bytes the row takes in a batch. */
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
    position = writeLink(bytes, position, PARENT_TAG, this.parents[row] as number, places);
    position = writeLink(bytes, position, SESSION_LEADER_TAG, this.sessionLeaders[row] as number, places);
    return writeLink(bytes, position, GROUP_LEADER_TAG, this.groupLeaders[row] as number, places);
  }

  #contentsSize(row: number, places: Places): number {
    const head = this.heads[row] as Uint8Array;
    return (
      head.length +
      (this.images[row]?.fieldSize ?? 0) +
      linkSize(PARENT_TAG, this.parents[row] as number, places) +
      linkSize(SESSION_LEADER_TAG, this.sessionLeaders[row] as number, places) +
      linkSize(GROUP_LEADER_TAG, this.groupLeaders[row] as number, places)
    );
  }
}

/** A row as the message has it: its index plus one, 0 for none. */
function linkTo(row: number, places: Places): number {
  if (row < 0) return 0;
  return places === undefined ? row + 1 : (places[row] as number) + 1;
}

function linkSize(tag: number, row: number, places: Places): number {
  const link = linkTo(row, places);
  return link === 0 ? 0 : varintSize(tag) + varintSize(link);
}

function writeLink(bytes: Uint8Array, offset: number, tag: number, row: number, places: Places): number {
  const link = linkTo(row, places);
  return link === 0 ? offset : writeVarint(bytes, writeVarint(bytes, offset, tag), link);
}
