// Puts encoded detections into messages for DETECTIONS: by priority, the worst first, as large as the bus takes.
import { createHash } from "node:crypto";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { DetectionBatchSchema, type Priority } from "@nightjar/proto";
import { GROUP_BYTES_MAX, subjectOf } from "@nightjar/stage";
import type { DetectionGroup } from "../detections.ts";

const DETECTIONS_FIELD = DetectionBatchSchema.field.detections.number;
const MESSAGE_ID_HEX_DIGITS = 32;

/** An encoded Detection and its priority. */
export interface EncodedDetection {
  priority: Priority;
  detection: Uint8Array;
}

/** The messages of what goes out together; the same detections give the same messages with the same ids. */
export function packDetections(detections: readonly EncodedDetection[]): DetectionGroup[] {
  const byPriority = Map.groupBy(detections, ({ priority }) => priority);
  return [...byPriority.keys()]
    .sort((a, b) => a - b)
    .flatMap((priority) => {
      const encoded = (byPriority.get(priority) ?? []).map(({ detection }) => detection);
      return partsOf(encoded).map((part) => groupOf(part, subjectOf(priority)));
    });
}

/** Cut where the next would make a message too large; each alone is small enough when it comes here. */
function partsOf(detections: readonly Uint8Array[]): Uint8Array[][] {
  const parts: Uint8Array[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const detection of detections) {
    if (bytes + detection.length > GROUP_BYTES_MAX) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(detection);
    bytes += detection.length;
  }
  return parts;
}

function groupOf(detections: readonly Uint8Array[], subject: string): DetectionGroup {
  const writer = new BinaryWriter();
  for (const detection of detections) writer.tag(DETECTIONS_FIELD, WireType.LengthDelimited).bytes(detection);
  const bytes = writer.finish();
  const messageId = createHash("sha256").update(bytes).digest("hex").slice(0, MESSAGE_ID_HEX_DIGITS);
  return { subject, messageId, bytes, count: detections.length };
}
