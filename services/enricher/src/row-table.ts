// A table of a batch whose rows come from a source, encoded already: containers, executables.
import { tagOf, varintSize, WIRE_BYTES, writeVarint } from "@nightjar/events";
import { NO_ROW, type Row } from "./context/row.ts";

// One count for all tables: a row stands in at most one of them at a time.
let stamps = 0;

/** Each row once, however many processes point to it. */
export class RowTable {
  readonly rows: Uint8Array[] = [];
  readonly #tag: number;
  #stamp = 0;
  #encode = (row: Row): Uint8Array => row.bytes;

  /** `number` is the field of Batch that the rows are. */
  constructor(number: number) {
    this.#tag = tagOf(number, WIRE_BYTES);
  }

  get length(): number {
    return this.rows.length;
  }

  /** Empties the table for another batch; `encode` gives the bytes of a row. */
  begin(encode = (row: Row): Uint8Array => row.bytes): void {
    this.#encode = encode;
    this.#stamp = ++stamps;
    this.rows.length = 0;
  }

  /** Where the row stands, added where it is not there yet; -1 for none. */
  indexOf(row: Row | undefined): number {
    if (row === undefined || row === NO_ROW) return -1;
    if (row.tableStamp === this.#stamp) return row.tableIndex;
    row.tableStamp = this.#stamp;
    row.tableIndex = this.rows.push(this.#encode(row)) - 1;
    return row.tableIndex;
  }

  /** Bytes the row takes in a batch. */
  rowSize(row: number): number {
    const { length } = this.rows[row] as Uint8Array;
    return varintSize(this.#tag) + varintSize(length) + length;
  }

  /** Writes the row and returns the offset behind it. */
  writeRow(bytes: Uint8Array, offset: number, row: number): number {
    const contents = this.rows[row] as Uint8Array;
    const start = writeVarint(bytes, writeVarint(bytes, offset, this.#tag), contents.length);
    bytes.set(contents, start);
    return start + contents.length;
  }
}
