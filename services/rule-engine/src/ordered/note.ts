// Writes the matches of a batch down for MATCHES: what the ordered stage needs of each, in messages the bus takes.
import { create, toBinary } from "@bufbuild/protobuf";
import type { BatchReader } from "@nightjar/events";
import {
  type Detection,
  type Match,
  MatchBatchSchema,
  type MatchedRule,
  MatchedRuleSchema,
  MatchSchema,
} from "@nightjar/proto";
import { encodeWithin, GROUP_BYTES_MAX } from "@nightjar/stage";
import { detectionOf, type Matched } from "../detections.ts";

/** Of a detection on MATCHES; what is larger goes without what a person misses least. */
const DETECTION_BYTES_MAX = 64 * 1024;
/** Rules that take part in correlation and match one event: more than this are left out, and counted. */
const MATCHES_PER_EVENT_MAX = 64;
/** What a match has beside its detection: values and lineage, all of which are limited. */
const MATCH_HEAD_BYTES_MAX = 16 * 1024;
/** Of a value that is grouped by or counted; longer ones are the same when so much of them is. */
const VALUE_CHARACTERS_MAX = 1_024;
/** Generations up to which processes are told apart. */
const LINEAGE_MAX = 64;

/** A match, and the values that the ordered stage needs of its event, by field; what it does not have is left out. */
export interface NotedMatch extends Matched {
  values: Readonly<Record<string, string>>;
}

/** A message for MATCHES. */
export interface Note {
  /** The same for the same matches. */
  messageId: string;
  bytes: Uint8Array;
}

/** What holds for all matches of a batch. */
export interface NoteContext {
  /** The time of the batch's last event, in ns on CLOCK_BOOTTIME. */
  lastTimeNs: number;
  /** The version of the rules that matched. */
  contentVersion: string;
}

export interface Notes {
  notes: Note[];
  /** Matches beyond MATCHES_PER_EVENT_MAX. */
  leftOut: number;
}

/**
 * The messages for a batch's matches, which stand in the order of its events; none where there are none. A message
 * covers whole events, so that each is known to have been noted or not.
 */
export function noteMatches(batch: BatchReader, matches: readonly NotedMatch[], context: NoteContext): Notes {
  const parts: NotedMatch[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  let leftOut = 0;
  for (const [, all] of Map.groupBy(matches, ({ eventIndex }) => eventIndex)) {
    const ofEvent = all.slice(0, MATCHES_PER_EVENT_MAX);
    leftOut += all.length - ofEvent.length;
    // By the most they can take: what they take is known only when they are encoded.
    const most = ofEvent.length * (detectionBytesMax(ofEvent.length) + MATCH_HEAD_BYTES_MAX);
    if (bytes + most > GROUP_BYTES_MAX) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(...ofEvent);
    bytes += most;
  }
  return { notes: parts.map((part, index) => noteOf(batch, parts, part, index, context)), leftOut };
}

/** So that all matches of one event fit into one message. */
function detectionBytesMax(matches: number): number {
  return Math.min(DETECTION_BYTES_MAX, Math.floor(GROUP_BYTES_MAX / matches) - MATCH_HEAD_BYTES_MAX);
}

function noteOf(
  batch: BatchReader,
  parts: readonly NotedMatch[][],
  part: readonly NotedMatch[],
  index: number,
  context: NoteContext,
): Note {
  const firstOf = (matches: readonly NotedMatch[] | undefined) =>
    matches?.[0] ? batch.eventPosition(matches[0].eventIndex) : batch.nextPosition;
  const first = index === 0 ? batch.firstPosition : firstOf(part);
  const next = firstOf(parts[index + 1]);
  const rules = new RuleTable();
  const onEvent = Map.groupBy(part, ({ eventIndex }) => eventIndex);
  const matches = part.map((match) => {
    const detection = detectionOf(batch, match, context.contentVersion);
    const bytesMax = detectionBytesMax(onEvent.get(match.eventIndex)?.length ?? 1);
    return matchOf(detection, match, rules, bytesMax);
  });
  const message = create(MatchBatchSchema, {
    bootId: batch.bootId,
    epoch: batch.epoch,
    firstPosition: BigInt(first),
    nextPosition: BigInt(next),
    bootTimeUnixNs: batch.bootTimeUnixNs,
    lastTimeNs: BigInt(context.lastTimeNs),
    rules: rules.rows,
    matches,
  });
  return { messageId: `${batch.sourceId}:${first}-${next}`, bytes: toBinary(MatchBatchSchema, message) };
}

function matchOf(detection: Detection, match: NotedMatch, rules: RuleTable, bytesMax: number): Match {
  const { event, processes } = detection;
  return create(MatchSchema, {
    rule: rules.indexOf(match),
    position: event?.position ?? 0n,
    timeNs: event?.timeNs ?? 0n,
    values: Object.entries(match.values).map(([name, text]) => ({
      field: rules.fieldOf(match, name),
      text: text.slice(0, VALUE_CHARACTERS_MAX),
    })),
    lineage: processes.slice(0, LINEAGE_MAX).map(({ pid, startTimeNs }) => ({ pid, startTimeNs })),
    detection: encodeWithin(detection, bytesMax),
  });
}

/** The rules of a message and their fields, each once. */
class RuleTable {
  readonly rows: MatchedRule[] = [];
  readonly #indices = new Map<string, number>();

  indexOf({ rule }: NotedMatch): number {
    let index = this.#indices.get(rule.name);
    if (index === undefined) {
      index = this.rows.length;
      this.#indices.set(rule.name, index);
      this.rows.push(create(MatchedRuleSchema, { name: rule.name, priority: rule.priority }));
    }
    return index;
  }

  fieldOf(match: NotedMatch, name: string): number {
    const { fields } = this.rows[this.indexOf(match)] as MatchedRule;
    const index = fields.indexOf(name);
    return index >= 0 ? index : fields.push(name) - 1;
  }
}
