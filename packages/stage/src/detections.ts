// What all detections have in common on their way: who made them makes their ids so, and keeps them within a message.
import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type Detection, DetectionSchema, type Priority, PrioritySchema, wordsOf } from "@nightjar/proto";

const ID_HEX_DIGITS = 32;
/** Under the bus's largest message, with room for what protobuf adds. */
export const GROUP_BYTES_MAX = 900_000;

/** What is left of an output that alone is too large for a message. */
const OUTPUT_CHARACTERS_MAX = 64 * 1024;

const priorityWords = wordsOf(PrioritySchema);

/** Computed from the rule and the event's identity: 32 hex digits. */
export function detectionId(rule: string, eventId: string): string {
  return createHash("sha256").update(rule).update("\0").update(eventId).digest("hex").slice(0, ID_HEX_DIGITS);
}

/** The subject of a priority's detections. */
export function subjectOf(priority: Priority): string {
  return `nightjar.detections.${(priorityWords.get(priority) ?? "DEBUG").toLowerCase()}`;
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
