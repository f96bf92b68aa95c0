// A batch's table of processes: the rows its events point to, each version of a process once, with its ancestors.
import { tagOf, varintSize, WIRE_BYTES, WIRE_VARINT, writeVarint } from "@nightjar/events";
import { BatchSchema, ProcessSchema } from "@nightjar/proto";
import type { ProcessNode } from "./node.ts";
import type { UserNames } from "./users.ts";

/** Ancestors given with a process. Lines longer than this lose the end at the root. */
export const ANCESTORS_MAX = 32;

const ROW_TAG = tagOf(BatchSchema.field.processes.number, WIRE_BYTES);
const PARENT_TAG = tagOf(ProcessSchema.field.parent.number, WIRE_VARINT);
const NO_IMAGE = new Uint8Array(0);

/** Rows as parts that are only joined when they are written; indices are from 0, -1 is no row. */
export class ProcessTable {
  readonly heads: Uint8Array[] = [];
  readonly images: Uint8Array[] = [];
  readonly parents: number[] = [];
  #stamp = 0;
  #names: UserNames;

  constructor(names: UserNames) {
    this.#names = names;
  }

  get length(): number {
    return this.heads.length;
  }

  /** Empties the table for another batch. */
  begin(names: UserNames): void {
    this.#names = names;
    this.#stamp++;
    this.heads.length = this.images.length = this.parents.length = 0;
  }

  /** The row of the process as it is now, added with its ancestors where it is not there yet. */
  rowOf(node: ProcessNode): number {
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

  #add(node: ProcessNode): number {
    const index = this.heads.length;
    this.heads.push(node.head(this.#names));
    this.images.push(node.image?.field ?? NO_IMAGE);
    this.parents.push(-1);
    node.tableStamp = this.#stamp;
    node.tableIndex = index;
    return index;
  }

  /** Bytes the row takes in a batch when its parent is the row `parent`. */
  rowSize(row: number, parent: number): number {
    const contents = this.#contentsSize(row, parent);
    return varintSize(ROW_TAG) + varintSize(contents) + contents;
  }

  /** Writes the row, its parent being the row `parent`, and returns the offset behind it. */
  writeRow(bytes: Uint8Array, offset: number, row: number, parent: number): number {
    const head = this.heads[row] as Uint8Array;
    const image = this.images[row] as Uint8Array;
    let position = writeVarint(bytes, writeVarint(bytes, offset, ROW_TAG), this.#contentsSize(row, parent));
    bytes.set(head, position);
    position += head.length;
    bytes.set(image, position);
    position += image.length;
    return parent < 0 ? position : writeVarint(bytes, writeVarint(bytes, position, PARENT_TAG), parent + 1);
  }

  #contentsSize(row: number, parent: number): number {
    const head = this.heads[row] as Uint8Array;
    const image = this.images[row] as Uint8Array;
    return head.length + image.length + (parent < 0 ? 0 : varintSize(PARENT_TAG) + varintSize(parent + 1));
  }
}
