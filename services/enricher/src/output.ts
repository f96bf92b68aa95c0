// Writes what goes to EVENTS: the batch's own bytes, its table of processes and who acted; in parts where too large.
import {
  type BatchReader,
  FieldCursor,
  tagOf,
  varintSize,
  WIRE_BYTES,
  WIRE_VARINT,
  writeVarint,
} from "@nightjar/events";
import { BatchSchema } from "@nightjar/proto";
import type { Places, ProcessTable } from "./table.ts";

const BATCH = BatchSchema.field;
const ACTORS_TAG = tagOf(BATCH.actors.number, WIRE_BYTES);
const MAPPED_TAG = tagOf(BATCH.mapped.number, WIRE_BYTES);
const FIRST_POSITION_TAG = tagOf(BATCH.firstPosition.number, WIRE_VARINT);
const NEXT_POSITION_TAG = tagOf(BATCH.nextPosition.number, WIRE_VARINT);

/** A batch and what is to be said of its events. */
export interface Enriched {
  reader: BatchReader;
  /** For each event its position; ascending. */
  positions: readonly number[];
  /** For each event: whether it goes on. */
  keeps: readonly boolean[];
  /** For each event its actor's row in `table`, -1 for none. */
  actors: readonly number[];
  /** For each event the row in the table's `executables` of the file it mapped, -1 for none. */
  mapped: readonly number[];
  table: ProcessTable;
  /** Encoded fields of the batch with the names of ids and addresses that its events need; every part has them all. */
  names: Uint8Array;
}

/** An encoded Batch that covers [first, next) of the input's range. */
export interface Output {
  bytes: Uint8Array;
  /** The message id: "<source>:<first>-<next>". */
  id: string;
  events: number;
  /** Ancestors left out because even a single event with all of them is too large; the actor itself counts too. */
  ancestorsLost: number;
}

/** Events [from, to) of the input, and the range of positions they stand for. */
interface Part {
  from: number;
  to: number;
  first: number;
  next: number;
}

/** The rows a part needs: those of each table in their order, and where each row of the whole tables stands there. */
interface Rows {
  processes: readonly number[];
  containers: readonly number[];
  executables: readonly number[];
  places: Required<Places>;
  bytes: number;
}

/**
 * The output of a batch: one message, or several where one would be larger than `bytesMax`. Parts are made by halving
 * the events, those that do not go on included, so the same range is always cut at positions of one and the same
 * binary tree; they touch each other and together cover the input's range.
 */
export function writeOutputs(enriched: Enriched, bytesMax: number): Output[] {
  const { reader } = enriched;
  const frame = readFrame(reader);
  const outputs: Output[] = [];
  const parts: Part[] = [{ from: 0, to: reader.length, first: reader.firstPosition, next: reader.nextPosition }];
  for (let part = parts.pop(); part; part = parts.pop()) {
    const rows = chooseRows(enriched, part);
    const bytes = sizeOf(enriched, frame, part, rows);
    if (bytes <= bytesMax || part.to - part.from <= 1) {
      outputs.push(writePart(enriched, frame, part, rows, bytesMax));
      continue;
    }
    const middle = (part.from + part.to) >>> 1;
    const border = enriched.positions[middle] as number;
    parts.push({ from: middle, to: part.to, first: border, next: part.next });
    parts.push({ from: part.from, to: middle, first: part.first, next: border });
  }
  return outputs;
}

/** Fields that are not copied but written anew. */
const WRITTEN_HERE: ReadonlySet<number> = new Set(
  [
    ...[BATCH.firstPosition, BATCH.nextPosition, BATCH.processes, BATCH.actors, BATCH.users, BATCH.groups],
    ...[BATCH.containers, BATCH.executables, BATCH.mapped, BATCH.addressNames],
  ].map((field) => field.number),
);

/** Where an input's fields lie: those of the whole batch, and each event with its tag. */
interface Frame {
  shared: number[];
  sharedBytes: number;
  /** Where each event's tag is. */
  eventStarts: number[];
}

function readFrame(reader: BatchReader): Frame {
  const frame: Frame = { shared: [], sharedBytes: 0, eventStarts: [] };
  const cursor = new FieldCursor().enter(reader.bytes, 0, reader.bytes.length);
  while (cursor.next()) {
    const { number, fieldStart, end } = cursor;
    if (number === BATCH.events.number) frame.eventStarts.push(fieldStart);
    else if (!WRITTEN_HERE.has(number)) {
      frame.shared.push(fieldStart, end);
      frame.sharedBytes += end - fieldStart;
    }
  }
  return frame;
}

/** The rows that the events of a part point to, with ancestors and leaders, in the order of the whole tables. */
function chooseRows(enriched: Enriched, part: Part): Rows {
  const { table, actors, keeps } = enriched;
  const isChosen = new Uint8Array(table.length);
  for (let event = part.from; event < part.to; event++) {
    const actor = actors[event] as number;
    if (!keeps[event] || actor < 0) continue;
    chooseLine(table, isChosen, actor);
    chooseLine(table, isChosen, table.sessionLeaders[actor] as number);
    chooseLine(table, isChosen, table.groupLeaders[actor] as number);
  }
  return withContext(enriched, part, chosenOf(isChosen));
}

function chooseLine(table: ProcessTable, isChosen: Uint8Array, from: number): void {
  for (let row = from; row >= 0 && isChosen[row] === 0; row = table.parents[row] as number) isChosen[row] = 1;
}

/** Adds to the processes what they and the part's events point to. */
function withContext({ table, mapped, keeps }: Enriched, part: Part, processes: readonly number[]): Rows {
  const { containers, executables } = table;
  const hasContainer = new Uint8Array(containers.length);
  const hasExecutable = new Uint8Array(executables.length);
  for (const row of processes) {
    const container = table.containerRows[row] as number;
    const executable = table.executableRows[row] as number;
    if (container >= 0) hasContainer[container] = 1;
    if (executable >= 0) hasExecutable[executable] = 1;
  }
  for (let event = part.from; event < part.to; event++) {
    const row = mapped[event] as number;
    if (keeps[event] && row >= 0) hasExecutable[row] = 1;
  }
  const chosen = { processes, containers: chosenOf(hasContainer), executables: chosenOf(hasExecutable) };
  const places = {
    processes: placesOf(chosen.processes, table.length),
    containers: placesOf(chosen.containers, containers.length),
    executables: placesOf(chosen.executables, executables.length),
  };
  let bytes = 0;
  for (const row of chosen.processes) bytes += table.rowSize(row, places);
  for (const row of chosen.containers) bytes += containers.rowSize(row);
  for (const row of chosen.executables) bytes += executables.rowSize(row);
  return { ...chosen, places, bytes };
}

function chosenOf(isChosen: Uint8Array): number[] {
  const chosen: number[] = [];
  for (let row = 0; row < isChosen.length; row++) if (isChosen[row] === 1) chosen.push(row);
  return chosen;
}

function placesOf(chosen: readonly number[], length: number): Int32Array {
  const places = new Int32Array(length).fill(-1);
  for (const [place, row] of chosen.entries()) places[row] = place;
  return places;
}

function sizeOf(enriched: Enriched, frame: Frame, part: Part, rows: Rows): number {
  let bytes = frame.sharedBytes + rows.bytes + rangeSize(part) + enriched.names.length;
  for (let event = part.from; event < part.to; event++) {
    if (enriched.keeps[event]) bytes += enriched.reader.eventEnd(event) - (frame.eventStarts[event] as number);
  }
  for (const list of listsOf(enriched, part, rows)) {
    const size = packedSize(enriched, part, list);
    bytes += varintSize(list.tag) + varintSize(size) + size;
  }
  return bytes;
}

function rangeSize({ first, next }: Part): number {
  return varintSize(FIRST_POSITION_TAG) + varintSize(first) + varintSize(NEXT_POSITION_TAG) + varintSize(next);
}

/** A packed field of the batch that says for each event which row of a table it points to. */
interface RowList {
  tag: number;
  /** For each event of the input the row in the whole table, -1 for none. */
  rows: readonly number[];
  places: Int32Array;
}

/** Those that the part has: actors where there are events, mapped files where one of them maps any. */
function listsOf({ actors, mapped, keeps }: Enriched, part: Part, { places }: Rows): RowList[] {
  const lists: RowList[] = [];
  let events = 0;
  let maps = 0;
  for (let event = part.from; event < part.to; event++) {
    if (!keeps[event]) continue;
    events++;
    if ((mapped[event] as number) >= 0) maps++;
  }
  if (events > 0) lists.push({ tag: ACTORS_TAG, rows: actors, places: places.processes });
  if (maps > 0) lists.push({ tag: MAPPED_TAG, rows: mapped, places: places.executables });
  return lists;
}

/** Bytes of the packed field without its tag and length. */
function packedSize({ keeps }: Enriched, part: Part, { rows, places }: RowList): number {
  let bytes = 0;
  for (let event = part.from; event < part.to; event++) {
    if (keeps[event]) bytes += varintSize(indexOf(rows[event] as number, places));
  }
  return bytes;
}

function writePacked(bytes: Uint8Array, offset: number, enriched: Enriched, part: Part, list: RowList): number {
  let position = writeVarint(bytes, offset, list.tag);
  position = writeVarint(bytes, position, packedSize(enriched, part, list));
  for (let event = part.from; event < part.to; event++) {
    if (enriched.keeps[event])
      position = writeVarint(bytes, position, indexOf(list.rows[event] as number, list.places));
  }
  return position;
}

/** A row as the message has it: its index plus one, 0 for none. */
function indexOf(row: number, places: Int32Array): number {
  return row < 0 ? 0 : (places[row] as number) + 1;
}

function writePart(enriched: Enriched, frame: Frame, part: Part, all: Rows, bytesMax: number): Output {
  const rows = fitRows(enriched, frame, part, all, bytesMax);
  const { reader, table, keeps } = enriched;
  const bytes = new Uint8Array(sizeOf(enriched, frame, part, rows));
  let offset = 0;
  const copy = (start: number, end: number) => {
    bytes.set(reader.bytes.subarray(start, end), offset);
    offset += end - start;
  };
  offset = writeVarint(bytes, writeVarint(bytes, offset, FIRST_POSITION_TAG), part.first);
  offset = writeVarint(bytes, writeVarint(bytes, offset, NEXT_POSITION_TAG), part.next);
  for (let index = 0; index < frame.shared.length; index += 2) {
    copy(frame.shared[index] as number, frame.shared[index + 1] as number);
  }
  let events = 0;
  for (let event = part.from; event < part.to; event++) {
    if (!keeps[event]) continue;
    // Events that lie side by side are copied at once.
    const start = frame.eventStarts[event] as number;
    events++;
    while (event + 1 < part.to && keeps[event + 1] && frame.eventStarts[event + 1] === reader.eventEnd(event)) {
      event++;
      events++;
    }
    copy(start, reader.eventEnd(event));
  }
  for (const row of rows.processes) offset = table.writeRow(bytes, offset, row, rows.places);
  for (const row of rows.containers) offset = table.containers.writeRow(bytes, offset, row);
  for (const row of rows.executables) offset = table.executables.writeRow(bytes, offset, row);
  bytes.set(enriched.names, offset);
  offset += enriched.names.length;
  for (const list of listsOf(enriched, part, rows)) offset = writePacked(bytes, offset, enriched, part, list);
  const id = `${reader.sourceId}:${part.first}-${part.next}`;
  return { bytes, id, events, ancestorsLost: all.processes.length - rows.processes.length };
}

/** The rows, or where a single event is too large with all of them, as many as fit, counted from the actor. */
function fitRows(enriched: Enriched, frame: Frame, part: Part, rows: Rows, bytesMax: number): Rows {
  let fitting = rows;
  const { table, actors } = enriched;
  for (let keep = rows.processes.length - 1; keep >= 0; keep--) {
    if (sizeOf(enriched, frame, part, fitting) <= bytesMax) break;
    const chosen: number[] = [];
    let row = actors[part.from] as number;
    while (chosen.length < keep && row >= 0) {
      chosen.push(row);
      row = table.parents[row] as number;
    }
    fitting = withContext(enriched, part, chosen);
  }
  return fitting;
}
