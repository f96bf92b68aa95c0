// A row of one of a batch's tables, encoded once for each version of it.

/** What a source knows of a key. Sources change it between batches, never while one is taken in. */
export class Row {
  /** An encoded message of the table, e.g. a Container. */
  bytes: Uint8Array;
  /** The source was asked for no more than its key yet, or may find out more: whoever needs it is to ask. */
  isPartial = false;
  /** The source has forgotten it: what it says will not be kept up to date. */
  isForgotten = false;
  /** How many events were taken in of processes that point to it. */
  events = 0;
  /** Where it stands in which batch's table; see RowTable. */
  tableStamp = -1;
  tableIndex = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Of a key that nothing belongs to, as the cgroup of a process outside of all containers. */
export const NO_ROW = new Row(new Uint8Array(0));
