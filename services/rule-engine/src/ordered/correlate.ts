// The step that correlates: detections of what fires, and of the rules that stand alone beside it.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CorrelatedEvent,
  CorrelatedEventSchema,
  type Detection,
  DetectionSchema,
  type Priority,
} from "@nightjar/proto";
import { attackOf, type Correlation, CorrelationEngine, type Firing, type RuleMatch } from "@nightjar/rules";
import { detectionId, encodeWithin, GROUP_BYTES_MAX } from "@nightjar/stage";
import { Evidence } from "./evidence.ts";
import type { Candidate, Step } from "./step.ts";

/** Of the detection of a correlation, with all its events; beyond this the events go without what they hold. */
const DETECTION_BYTES_MAX = Math.floor(GROUP_BYTES_MAX / 4);
/** Events that a detection of a correlation holds, those of correlations within it among them. */
const CORRELATED_EVENTS_MAX = 32;
/** Processes of each: the one that acted, and its parent. */
const PROCESSES_EACH = 2;

/** The correlations of a set of rules, and those of its rules that are in one and do not stand alone. */
export interface CorrelationPlan {
  correlations: readonly Correlation[];
  silent: ReadonlySet<string>;
  contentVersion: string;
}

/**
 * The first firing of a story gives a detection at once. While its group goes on firing, further matches only repeat
 * the story: they are counted, and the next detection of the group is that of its next story (see Firing.story).
 */
export class Correlate implements Step {
  readonly #engine = new CorrelationEngine([]);
  readonly #evidence = new Evidence();
  #plan: CorrelationPlan = { correlations: [], silent: new Set(), contentVersion: "" };
  /** Firings that only repeated their story. */
  repeats = 0;

  /** Other rules are in force from the next matches on. What is the same in both keeps its state. */
  replace(plan: CorrelationPlan): void {
    if (plan === this.#plan) return;
    this.#plan = plan;
    this.#engine.replace(plan.correlations);
    this.#evidence.keepUs = Math.max(0, ...plan.correlations.map(({ timespanUs }) => timespanUs));
  }

  /** How often its limits were met: groups and matches given up, evidence given up. */
  get hits(): { groups: number; matches: number; evidence: number } {
    return { ...this.#engine.hits, evidence: this.#evidence.givenUp };
  }

  /** Groups and matches it keeps. */
  get size(): { groups: number; matches: number } {
    return this.#engine.size;
  }

  take(candidates: readonly Candidate[], watermarkUs: number): readonly Candidate[] {
    const { silent, contentVersion } = this.#plan;
    this.#evidence.forget(watermarkUs);
    for (const candidate of candidates) if (this.#engine.concerns(candidate.rule)) this.#evidence.keep(candidate);
    const out = candidates.filter(({ rule }) => !silent.has(rule));
    for (const firing of this.#engine.take(candidates, watermarkUs)) {
      if (!firing.correlation.alone) continue;
      if (firing.repeats) this.repeats++;
      else out.push(detectionOf(firing, contentVersion));
    }
    return out;
  }
}

/** The candidate of a firing: it happened when the match did that completed it, and has that one's processes. */
function detectionOf(firing: Firing, contentVersion: string): Candidate {
  const { correlation, group, fired, story } = firing;
  const { last, value } = fired;
  const leaves = fired.matches.flatMap(leavesOf);
  const events = leaves.slice(-CORRELATED_EVENTS_MAX);
  const completing = decode(leavesOf(last).at(-1));
  const [first] = leavesOf(story);
  const eventId = first ? `${first.source}:${first.position}` : "";
  const detection: Detection = create(DetectionSchema, {
    id: detectionId(correlation.name, eventId),
    revision: 1,
    rule: correlation.name,
    priority: correlation.priority as Priority,
    output: outputOf(firing),
    tags: [...correlation.tags],
    ...attackOf(correlation.tags),
    rulePlace: correlation.place,
    eventId,
    processes: completing?.processes ?? [],
    containers: completing?.containers ?? [],
    executables: completing?.executables ?? [],
    mapped: completing?.mapped ?? 0,
    fields: { ...group, [correlation.type]: String(value) },
    correlated: events.map(correlatedEvent),
    correlatedOmitted: fired.omitted + leaves.length - events.length,
    contentVersion,
    ...(completing?.time && { time: completing.time }),
    ...(completing?.event && { event: completing.event }),
  });
  const { rule: _, ...identity } = last;
  const named = { ...identity, rule: correlation.name, fields: { ...last.fields, ...group } };
  return { ...named, priority: correlation.priority as Priority, detection: encode(detection) };
}

/** The single events behind a match: those of the correlation whose firing it is, or itself. */
function leavesOf(match: RuleMatch): RuleMatch[] {
  return match.parts ? match.parts.flatMap(leavesOf) : [match];
}

function correlatedEvent(match: RuleMatch): CorrelatedEvent {
  const detection = decode(match);
  return create(CorrelatedEventSchema, {
    eventId: `${match.source}:${match.position}`,
    rule: match.rule,
    output: detection?.output ?? "",
    processes: (detection?.processes ?? []).slice(0, PROCESSES_EACH),
    containers: detection?.containers ?? [],
    executables: detection?.executables ?? [],
    fields: detection?.fields ?? { ...match.fields },
    ...(detection?.time && { time: detection.time }),
    ...(detection?.event && { event: detection.event }),
  });
}

/** Undefined where its evidence was given up. */
function decode(match: RuleMatch | undefined): Detection | undefined {
  const bytes = (match as Candidate | undefined)?.detection;
  return bytes && bytes.length > 0 ? fromBinary(DetectionSchema, bytes) : undefined;
}

function encode(detection: Detection): Uint8Array {
  const whole = toBinary(DetectionSchema, detection);
  if (whole.length <= DETECTION_BYTES_MAX) return whole;
  const without = { processes: [], containers: [], executables: [] };
  const correlated = detection.correlated.map(({ event: _, ...rest }) => ({ ...rest, ...without }));
  return encodeWithin({ ...detection, correlated }, DETECTION_BYTES_MAX);
}

/** A sentence for a person, of a correlation's own: its documents have no output. */
function outputOf({ correlation, group, fired }: Firing): string {
  const { value, matches, omitted } = fired;
  const rules = [...new Set(matches.map(({ rule }) => rule))].join(
    correlation.type === "temporal_ordered" ? " → " : ", ",
  );
  const having = Object.entries(group).map(([name, text]) => `${name}=${text}`);
  const within = `${correlation.timespanUs / 1_000_000} s`;
  const events = `${matches.length + omitted} events within ${within}`;
  const amount = correlation.type.startsWith("value_") ? `; ${correlation.type} ${value}` : "";
  return `${correlation.name}: ${rules} (${[events + amount, ...having].join("; ")})`;
}
