// A thread of the pool: holds the compiled rules and evaluates one batch a task.
import { toBinary } from "@bufbuild/protobuf";
import { BatchReader, WireError } from "@nightjar/events";
import { InterestSchema, type Priority } from "@nightjar/proto";
import {
  compileRules,
  costlyOf,
  explainerOf,
  interestOf,
  loadRules,
  type Problem,
  type Rule,
  valuesOf,
  wishesOf,
} from "@nightjar/rules";
import type { RuleFile } from "@nightjar/stage";
import { workerData } from "piscina";
import { type DetectionGroup, groupDetections, type Matched } from "./detections.ts";
import { explanationOf } from "./explanation.ts";
import type { CorrelationPlan } from "./ordered/correlate.ts";
import { type Note, type NotedMatch, noteMatches } from "./ordered/note.ts";

/** What the pool's threads are given when they start. */
export interface WorkerData {
  files: readonly RuleFile[];
  contentVersion: string;
}

export type Task = { kind: "describe" } | { kind: "match"; bytes: Uint8Array; done: readonly number[] };

/** What the rules are, for the status and the interest. */
export interface RulesDescription {
  rules: number;
  /** An encoded Interest, without the version of the rules. */
  interest: Uint8Array;
  plan: CorrelationPlan;
  problems: Problem[];
}

export type MatchResult = MatchedBatch | { ok: false; error: string };

export interface MatchedBatch {
  ok: true;
  /** Detections that go out as they are. */
  groups: DetectionGroup[];
  /** Matches that the ordered stage is to put through its steps. */
  notes: Note[];
  /** Matches that are in neither, since their event has too many. */
  leftOut: number;
  events: number;
  matches: number;
  /** When the batch's last event happened, in ns on CLOCK_BOOTTIME; 0 where it has none. */
  lastTimeNs: number;
}

// The pool wraps what it was given: [its own data, ours].
const { files, contentVersion } = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerData;
const loaded = loadRules(files);
const engine = compileRules(loaded.rules);

export default function run(task: Task): RulesDescription | MatchResult {
  if (task.kind === "describe") {
    const { rules } = loaded;
    const interest = interestOf(wishesOf(rules), "rule-engine", "", costlyOf(rules));
    const { correlations, correlated, problems } = loaded;
    const silent = new Set([...correlated].flatMap(([name, { alone }]) => (alone ? [] : [name])));
    const plan = { correlations, silent, contentVersion };
    return { rules: rules.length, interest: toBinary(InterestSchema, interest), plan, problems };
  }
  try {
    const batch = new BatchReader(task.bytes);
    const fresh = engine.matchBatch(task.bytes).filter((match) => !task.done.includes(match.eventIndex));
    const explain = explainerOf(batch);
    const values = valuesOf(batch);
    const matches = fresh.map((match) => ({
      ...match,
      rule: describeRule(match.rule),
      explanation: explanationOf(explain(match.rule, match.eventIndex)),
    }));
    const lastTimeNs = batch.length === 0 ? 0 : batch.eventTimeNs(batch.length - 1);
    // What takes part in a correlation goes through the ordered stage, the rest straight out.
    const toNote = matches.flatMap((match): NotedMatch[] => {
      const needs = loaded.correlated.get(match.rule.name);
      return needs ? [{ ...match, values: values(needs.fields, match.eventIndex) }] : [];
    });
    const direct = matches.filter(({ rule }) => !loaded.correlated.has(rule.name));
    const { notes, leftOut } = noteMatches(batch, toNote, { lastTimeNs, contentVersion });
    const groups = groupDetections(batch, direct, contentVersion);
    const events = batch.length - task.done.length;
    return { ok: true, groups, notes, leftOut, events, matches: matches.length, lastTimeNs };
  } catch (error) {
    // Bytes that are no batch are the sender's fault, anything else is a bug here.
    if (error instanceof WireError) return { ok: false, error: error.message };
    throw error;
  }
}

/** What a detection says of its rule. */
function describeRule({ name, priority, tags, place }: Rule): Matched["rule"] {
  return { name, priority: priority as Priority, tags, place };
}
