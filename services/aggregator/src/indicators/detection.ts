// The detection that a malicious verdict makes of the processes that showed the indicator.
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  CorrelatedEventSchema,
  type Detection,
  DetectionSchema,
  IndicatorKind,
  Priority,
  type Process,
  type Verdict,
} from "@nightjar/proto";
import { attackOf } from "@nightjar/rules/attack";
import { detectionId } from "@nightjar/stage";
import { type IndicatorKey, indicatorOf } from "./shown.ts";

interface KindWords {
  /** Stands where a rule's name does. */
  rule: string;
  /** What ECS calls it: threat.indicator.type. */
  type: string;
  word: string;
}

const KINDS: ReadonlyMap<IndicatorKind, KindWords> = new Map([
  [IndicatorKind.FILE_SHA256, { rule: "Malicious file loaded", type: "file", word: "file" }],
  [IndicatorKind.ADDRESS, { rule: "Connection to malicious address", type: "ip-addr", word: "address" }],
  [IndicatorKind.DOMAIN, { rule: "Malicious domain asked for", type: "domain-name", word: "domain" }],
]);
const OF_ANOTHER_KIND: KindWords = { rule: "Malicious indicator", type: "unknown", word: "indicator" };

/** From how much confidence on how bad it is: STIX 2.1's scale of none, low, medium and high (its appendix A). */
const PRIORITIES: readonly (readonly [confidence: number, priority: Priority])[] = [
  [70, Priority.CRITICAL],
  [30, Priority.ERROR],
  [1, Priority.WARNING],
  // Who gives none says nothing against it.
  [0, Priority.ERROR],
];
/** Of what a list says, which is shown to people and goes to every output. */
const DESCRIPTION_CHARACTERS_MAX = 200;
const TAGS_MAX = 32;
const TAG_CHARACTERS_MAX = 128;

export interface Proven {
  key: IndicatorKey;
  verdict: Verdict;
  /** Encoded CorrelatedEvents of the processes that showed it, the first one first. */
  sightings: readonly Uint8Array[];
  /** How many processes showed it: those whose evidence is gone count, too. */
  processes: number;
  /** Events of others. */
  omitted: number;
}

/**
 * The same for the same indicator and first event: later processes are revisions of it. Undefined where there is no
 * evidence.
 */
export function detectionOf({ key, verdict, sightings, processes, omitted }: Proven): Detection | undefined {
  const [first, ...others] = sightings.map((bytes) => fromBinary(CorrelatedEventSchema, bytes));
  if (!first) return undefined;
  const { kind, value } = indicatorOf(key);
  const { rule, type, word } = KINDS.get(kind) ?? OF_ANOTHER_KIND;
  const { source, confidence } = verdict;
  const description = verdict.description.slice(0, DESCRIPTION_CHARACTERS_MAX);
  const tags = verdict.labels.slice(0, TAGS_MAX).map((label) => label.slice(0, TAG_CHARACTERS_MAX));
  const { eventId, time, event, processes: line, containers, executables, mapped } = first;
  const last = others.at(-1)?.time ?? time;
  return create(DetectionSchema, {
    id: detectionId(`indicator\0${key}`, eventId),
    revision: processes,
    rule,
    priority: PRIORITIES.find(([from]) => confidence >= from)?.[1] ?? Priority.ERROR,
    output: `${first.output}; ${word} ${value} is malicious, says ${saysOf(source, confidence, description)}`,
    tags,
    ...attackOf(tags),
    eventId,
    processes: line,
    containers,
    executables,
    mapped,
    fields: {
      "threat.indicator.type": type,
      "threat.indicator.name": value,
      "threat.indicator.provider": source,
      "threat.indicator.confidence": String(confidence),
      "threat.indicator.description": description,
    },
    correlated: others.map((other) => ({ ...other, rule })),
    correlatedOmitted: omitted,
    count: BigInt(processes),
    story: { lineage: programsOf(line), container: containers[0]?.id ?? "", target: value },
    ...(time && { time }),
    ...(last && { lastTime: last }),
    ...(event && { event }),
  });
}

function saysOf(source: string, confidence: number, description: string): string {
  return `${source} (confidence ${confidence})${description === "" ? "" : `: ${description}`}`;
}

/** The programs of a line, without neighbours that are the same. */
function programsOf(line: readonly Process[]): string[] {
  const names = line.map(({ name, image }) => Buffer.from(image?.executable ?? name).toString());
  return names.filter((name, at) => name !== names[at - 1]);
}
