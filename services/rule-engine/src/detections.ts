// Makes detections of matches: with an id that is the same each time, the event, and the process tree as evidence.
import { createHash } from "node:crypto";
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type BatchReader, WireError } from "@nightjar/events";
import {
  ContainerSchema,
  type Detection,
  DetectionSchema,
  EventSchema,
  ExecutableSchema,
  type Explanation,
  type Priority,
  PrioritySchema,
  ProcessSchema,
  wordsOf,
} from "@nightjar/proto";
import { attackOf } from "@nightjar/rules";

const NS_PER_SECOND = 1_000_000_000n;
const ID_HEX_DIGITS = 32;
/** Under the bus's largest message, with room for what protobuf adds. */
export const GROUP_BYTES_MAX = 900_000;

/** What is left of an output that alone is too large for a message. */
const OUTPUT_CHARACTERS_MAX = 64 * 1024;

/** What the rules say of one event. */
export interface Matched {
  rule: { name: string; priority: Priority; tags: readonly string[]; place: string };
  eventIndex: number;
  output: string;
  fields: Readonly<Record<string, string>>;
  explanation?: Explanation;
}

/** Detections of one priority, encoded as a DetectionBatch. */
export interface DetectionGroup {
  subject: string;
  /** The same for the same events and rules. */
  messageId: string;
  bytes: Uint8Array;
  count: number;
}

const priorityWords = wordsOf(PrioritySchema);

/** Computed from the rule and the event's identity: 32 hex digits. */
export function detectionId(rule: string, eventId: string): string {
  return createHash("sha256").update(rule).update("\0").update(eventId).digest("hex").slice(0, ID_HEX_DIGITS);
}

/** The subject of a priority's detections. */
export function subjectOf(priority: Priority): string {
  return `nightjar.detections.${(priorityWords.get(priority) ?? "DEBUG").toLowerCase()}`;
}

/** The detection of a match; throws a WireError where the event or a process of its line is no message. */
export function detectionOf(batch: BatchReader, match: Matched, contentVersion: string): Detection {
  const { eventIndex: index, rule } = match;
  const event = decode(EventSchema, batch, batch.eventStart(index), batch.eventEnd(index));
  const unixNs = event.timeNs + batch.bootTimeUnixNs;
  const eventId = batch.eventId(index);
  return create(DetectionSchema, {
    id: detectionId(rule.name, eventId),
    revision: 1,
    rule: rule.name,
    priority: rule.priority,
    output: match.output,
    time: { seconds: unixNs / NS_PER_SECOND, nanos: Number(unixNs % NS_PER_SECOND) },
    tags: [...rule.tags],
    ...attackOf(rule.tags),
    rulePlace: rule.place,
    eventId,
    event,
    ...evidenceOf(batch, index),
    fields: match.fields,
    ...(match.explanation && { explanation: match.explanation }),
    contentVersion,
  });
}

type Evidence = Pick<Detection, "processes" | "containers" | "executables" | "mapped">;

/** The line of processes with what they are in and execute, in tables of the detection's own. */
function evidenceOf(batch: BatchReader, index: number): Evidence {
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

/** An encoded detection of at most `bytesMax`, as far as leaving out its evidence and text can make it so. */
export function encodeWithin(detection: Detection, bytesMax: number): Uint8Array {
  for (let left = detection; ; left = lighter(left)) {
    const bytes = toBinary(DetectionSchema, left);
    if (bytes.length <= bytesMax || left.output === "") return bytes;
  }
}

/** A detection too large for the bus goes without what a person misses least: far ancestors, the event, the texts. */
function lighter(detection: Detection): Detection {
  const { processes, event, explanation, ...others } = detection;
  if (processes.length > 1) {
    return { ...detection, processes: processes.slice(0, Math.ceil(processes.length / 2)) };
  }
  if (event) return { ...others, processes, ...(explanation && { explanation }) };
  if (explanation) return { ...others, processes };
  const { containers, executables, fields } = others;
  if (containers.length + executables.length > 0) return withoutContext({ ...others, processes });
  if (Object.keys(fields).length > 0) return { ...others, processes, fields: {} };
  if (processes.length > 0) return { ...others, processes: [] };
  const characters = Math.min(OUTPUT_CHARACTERS_MAX, Math.floor(detection.output.length / 2));
  return { ...others, processes: [], output: detection.output.slice(0, characters) };
}

function withoutContext(detection: Detection): Detection {
  const processes = detection.processes.map((process) => ({ ...process, container: 0, executable: 0 }));
  return { ...detection, processes, containers: [], executables: [], mapped: 0 };
}
