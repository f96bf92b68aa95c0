// The evidence of a detection: the event, the line of processes, and what these are in and execute.
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  ContainerSchema,
  type Detection,
  type Event,
  EventSchema,
  ExecutableSchema,
  ProcessSchema,
} from "@nightjar/proto";
import type { BatchReader } from "./batch-reader.ts";
import { WireError } from "./wire.ts";

export type Evidence = Pick<Detection, "processes" | "containers" | "executables" | "mapped">;

/** The event itself; throws a WireError where it is no message. */
export function eventOf(batch: BatchReader, index: number): Event {
  return decode(EventSchema, batch, batch.eventStart(index), batch.eventEnd(index));
}

/**
 * The line of processes with what they are in and execute, in tables of the detection's own; throws a WireError where
 * one of them is no message.
 */
export function evidenceOf(batch: BatchReader, index: number): Evidence {
  const containers = new Rows(ContainerSchema, batch, batch.containerBounds);
  const executables = new Rows(ExecutableSchema, batch, batch.executableBounds);
  const processes = batch.lineage(index).map((row) => {
    const process = rowOf(ProcessSchema, batch, batch.processBounds, row);
    process.container = containers.take(process.container);
    process.executable = executables.take(process.executable);
    return process;
  });
  const mapped = executables.take(batch.mapped(index) + 1);
  return { processes, containers: containers.messages, executables: executables.messages, mapped };
}

/** Rows of a batch's table in the order in which they are asked for. */
class Rows<Schema extends DescMessage> {
  readonly messages: MessageShape<Schema>[] = [];
  readonly #places = new Map<number, number>();
  readonly #read: (row: number) => MessageShape<Schema>;

  constructor(schema: Schema, batch: BatchReader, bounds: readonly number[]) {
    this.#read = (row) => rowOf(schema, batch, bounds, row);
  }

  /** Its place here plus one, of a row of the batch plus one; 0 of none. */
  take(link: number): number {
    if (link === 0) return 0;
    let place = this.#places.get(link);
    if (place === undefined) {
      place = this.messages.push(this.#read(link - 1));
      this.#places.set(link, place);
    }
    return place;
  }
}

function rowOf<Schema extends DescMessage>(schema: Schema, batch: BatchReader, bounds: readonly number[], row: number) {
  const [start, end] = [bounds[2 * row], bounds[2 * row + 1]];
  if (start === undefined || end === undefined) throw new WireError(`no ${schema.name} in row ${row}`, 0);
  return decode(schema, batch, start, end);
}

/** Throws a WireError where the bytes are none: the rules read only the fields they name, this reads all. */
function decode<Schema extends DescMessage>(schema: Schema, { bytes }: BatchReader, start: number, end: number) {
  try {
    return fromBinary(schema, bytes.subarray(start, end));
  } catch (error) {
    throw new WireError(`${schema.name}: ${(error as Error).message}`, start);
  }
}
