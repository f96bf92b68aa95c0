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
import type { ProcessTable } from "./table.ts";

const BATCH = BatchSchema.field;
const ACTORS_TAG = tagOf(BATCH.actors.number, WIRE_BYTES);
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

/** The rows a part needs: where each row of the whole table stands in the part's own, and the other way round. */
interface Rows {
  indexOf: Int32Array;
  chosen: number[];
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
  [BATCH.firstPosition, BATCH.nextPosition, BATCH.processes, BATCH.actors, BATCH.users, BATCH.groups].map(
    (field) => field.number,
  ),
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

/** The rows that the events of a part point to, with their ancestors and leaders, in the order of the whole table. */
function chooseRows({ table, actors, keeps }: Enriched, part: Part): Rows {
  const indexOf = new Int32Array(table.length).fill(-1);
  for (let event = part.from; event < part.to; event++) {
    const actor = actors[event] as number;
    if (!keeps[event] || actor < 0) continue;
    chooseLine(table, indexOf, actor);
    chooseLine(table, indexOf, table.sessionLeaders[actor] as number);
    chooseLine(table, indexOf, table.groupLeaders[actor] as number);
  }
  const chosen: number[] = [];
  for (let row = 0; row < indexOf.length; row++) {
    if (indexOf[row] === 0) indexOf[row] = chosen.push(row) - 1;
  }
  return measure(table, indexOf, chosen);
}

function chooseLine(table: ProcessTable, indexOf: Int32Array, from: number): void {
  for (let row = from; row >= 0 && indexOf[row] === -1; row = table.parents[row] as number) indexOf[row] = 0;
}

function measure(table: ProcessTable, indexOf: Int32Array, chosen: number[]): Rows {
  let bytes = 0;
  for (const row of chosen) bytes += table.rowSize(row, indexOf);
  return { indexOf, chosen, bytes };
}

function sizeOf(enriched: Enriched, frame: Frame, part: Part, rows: Rows): number {
  let bytes = frame.sharedBytes + rows.bytes + rangeSize(part) + enriched.names.length;
  for (let event = part.from; event < part.to; event++) {
    if (enriched.keeps[event]) bytes += enriched.reader.eventEnd(event) - (frame.eventStarts[event] as number);
  }
  const actors = actorsSize(enriched, part, rows);
  return actors === 0 ? bytes : bytes + varintSize(ACTORS_TAG) + varintSize(actors) + actors;
}

function rangeSize({ first, next }: Part): number {
  return varintSize(FIRST_POSITION_TAG) + varintSize(first) + varintSize(NEXT_POSITION_TAG) + varintSize(next);
}

/** Bytes of the packed actors without their tag and length. */
function actorsSize({ actors, keeps }: Enriched, part: Part, { indexOf }: Rows): number {
  let bytes = 0;
  for (let event = part.from; event < part.to; event++) {
    if (keeps[event]) bytes += varintSize(actorIn(indexOf, actors[event] as number));
  }
  return bytes;
}

/** An actor as the message has it: its index plus one, 0 for none. */
function actorIn(indexOf: Int32Array, actor: number): number {
  return actor < 0 ? 0 : (indexOf[actor] as number) + 1;
}

function writePart(enriched: Enriched, frame: Frame, part: Part, all: Rows, bytesMax: number): Output {
  const rows = fitRows(enriched, frame, part, all, bytesMax);
  const { reader, table, keeps, actors } = enriched;
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
  for (const row of rows.chosen) offset = table.writeRow(bytes, offset, row, rows.indexOf);
  bytes.set(enriched.names, offset);
  offset += enriched.names.length;
  if (events > 0) {
    offset = writeVarint(bytes, offset, ACTORS_TAG);
    offset = writeVarint(bytes, offset, actorsSize(enriched, part, rows));
    for (let event = part.from; event < part.to; event++) {
      if (keeps[event]) offset = writeVarint(bytes, offset, actorIn(rows.indexOf, actors[event] as number));
    }
  }
  const id = `${reader.sourceId}:${part.first}-${part.next}`;
  return { bytes, id, events, ancestorsLost: all.chosen.length - rows.chosen.length };
}

/** The rows, or where a single event is too large with all of them, as many as fit, counted from the actor. */
function fitRows(enriched: Enriched, frame: Frame, part: Part, rows: Rows, bytesMax: number): Rows {
  let fitting = rows;
  const { table, actors } = enriched;
  for (let keep = rows.chosen.length - 1; keep >= 0; keep--) {
    if (sizeOf(enriched, frame, part, fitting) <= bytesMax) break;
    const indexOf = new Int32Array(table.length).fill(-1);
    const chosen: number[] = [];
    let row = actors[part.from] as number;
    while (chosen.length < keep && row >= 0) {
      indexOf[row] = chosen.push(row) - 1;
      row = table.parents[row] as number;
    }
    fitting = measure(table, indexOf, chosen);
  }
  return fitting;
}
