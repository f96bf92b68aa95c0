// Makes of a match by a rule that stands alone what stories take: its detection, and which story it belongs to.
import type { BatchReader } from "@nightjar/events";
import { encodeWithin, GROUP_BYTES_MAX } from "@nightjar/stage";
import { detectionOf, type Matched } from "../detections.ts";
import type { StoryMatch } from "./aggregate.ts";
import { storyKey, storyOf } from "./story-key.ts";

/** Of an output among a story's samples. */
const SAMPLE_CHARACTERS_MAX = 512;
/** What revisions put behind a detection: count, times, samples. */
const REVISION_BYTES_MAX = 16 * 1024;
const DETECTION_BYTES_MAX = GROUP_BYTES_MAX - REVISION_BYTES_MAX;

/** As the pool's threads give it: its time is still that of its boot. */
export interface StandingMatch extends Omit<StoryMatch, "timeUs"> {
  /** CLOCK_BOOTTIME in ns. */
  timeNs: number;
  /** An encoded Detection of at most DETECTION_BYTES_MAX, with neither count nor last time. */
  detection: Uint8Array;
}

/** Throws a WireError where the event or a process of its line is no message. */
export function standingMatch(batch: BatchReader, match: Matched, contentVersion: string): StandingMatch {
  const detection = detectionOf(batch, match, contentVersion);
  const story = storyOf(detection);
  const { id, rule, priority, eventId, event, output } = detection;
  return {
    key: storyKey(rule, story),
    ...{ rule, id, priority, eventId },
    timeNs: Number(event?.timeNs ?? 0n),
    output: output.slice(0, SAMPLE_CHARACTERS_MAX),
    detection: encodeWithin({ ...detection, story }, DETECTION_BYTES_MAX),
  };
}
