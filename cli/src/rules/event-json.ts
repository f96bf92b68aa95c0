// Events as the command line writes them in JSON: those of `nightjar tap`, and the evidence of detections.
import { create, toBinary } from "@bufbuild/protobuf";
import { BatchSchema, type Event, EventSchema, type Process, ProcessSchema } from "@nightjar/proto";
import { fromPlain } from "../show/from-plain.ts";

type Json = Readonly<Record<string, unknown>>;

/** A batch of each line that is an event or a detection; undefined where a line is neither. */
export function batchesOfJson(text: string): Uint8Array[] | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  try {
    const batches = lines.map((line) => batchOf(JSON.parse(line) as Json));
    return batches.length > 0 && batches.every((one) => one !== undefined) ? batches : undefined;
  } catch {
    // Not JSON, or numbers that are none: it may still be an event written briefly.
    return undefined;
  }
}

/** The tap tells of a process in full and names its ancestors; a detection has all of them in full. */
function batchOf(json: Json): Uint8Array | undefined {
  const { event, processes, process, ancestors = [] } = json as Record<string, Json & Json[]>;
  const plain = event ?? json;
  const rows = event ? (processes ?? []) : [...(process ? [process] : []), ...ancestors];
  const made = fromPlain(EventSchema, plain) as Event;
  if (made.data.case === undefined) return undefined;
  const count = rows.length;
  const batch = {
    ...{ bootId: new Uint8Array(16), epoch: 1n, firstPosition: 0n, nextPosition: made.position + 1n },
    events: [made],
    processes: rows.map((row, at) => {
      return { ...(fromPlain(ProcessSchema, withoutIndices(row)) as Process), parent: at + 1 < count ? at + 2 : 0 };
    }),
    actors: [count > 0 ? 1 : 0],
  };
  return toBinary(BatchSchema, create(BatchSchema, batch));
}

/** What a process that came from a batch refers to is in tables of that batch, and this is another one. */
const INDICES = ["parent", "container", "executable", "session_leader", "process_group_leader"];

function withoutIndices(row: Json): Json {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !INDICES.includes(name)));
}
