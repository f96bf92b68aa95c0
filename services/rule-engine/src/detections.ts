// Makes detections of matches: with an id that is the same each time, the event, and the process tree as evidence.
import { create } from "@bufbuild/protobuf";
import { type BatchReader, eventOf, evidenceOf } from "@nightjar/events";
import { type Detection, DetectionSchema, type Explanation, type Priority } from "@nightjar/proto";
import { attackOf } from "@nightjar/rules";
import { detectionId } from "@nightjar/stage";

const NS_PER_SECOND = 1_000_000_000n;

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

/** The detection of a match; throws a WireError where the event or a process of its line is no message. */
export function detectionOf(batch: BatchReader, match: Matched, contentVersion: string): Detection {
  const { eventIndex: index, rule } = match;
  const event = eventOf(batch, index);
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
