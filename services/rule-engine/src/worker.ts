// A thread of the pool: holds the compiled rules and suppressions, and evaluates one batch a task.
import { toBinary } from "@bufbuild/protobuf";
import { BatchReader, WireError } from "@nightjar/events";
import { InterestSchema, type Priority } from "@nightjar/proto";
import {
  compileRules,
  costlyOf,
  explainerOf,
  interestOf,
  loadRules,
  loadSuppressions,
  type Problem,
  type Rule,
  type RuleMatching,
  valuesOf,
  wishesOf,
} from "@nightjar/rules";
import type { RuleFile } from "@nightjar/stage";
import { workerData } from "piscina";
import type { Matched } from "./detections.ts";
import { explanationOf } from "./explanation.ts";
import type { CorrelationPlan } from "./ordered/correlate.ts";
import { type Note, type NotedMatch, noteMatches } from "./ordered/note.ts";
import { type StandingMatch, standingMatch } from "./stories/standing.ts";
import { type Cost, CostReport, type Hidden, Suppressor } from "./suppressor.ts";

/** What the pool's threads are given when they start. */
export interface WorkerData {
  files: readonly RuleFile[];
  suppressions: readonly RuleFile[];
  contentVersion: string;
  ruleMatching: RuleMatching;
}

export type Task = { kind: "describe" } | { kind: "match"; bytes: Uint8Array; done: readonly number[] };

/** What a suppression is, for those who ask what is in force. */
export interface SuppressionDescription {
  name: string;
  place: string;
  reason: string;
  author: string;
  expiresMs?: number;
}

/** What the rules are, for the status and the interest. */
export interface RulesDescription {
  rules: number;
  suppressions: SuppressionDescription[];
  /** An encoded Interest, without the version of the rules. */
  interest: Uint8Array;
  plan: CorrelationPlan;
  problems: Problem[];
}

export type MatchResult = MatchedBatch | { ok: false; error: string };

export interface MatchedBatch {
  ok: true;
  /** Matches of rules that stand alone, in the order of their events. */
  standing: StandingMatch[];
  /** Matches that the ordered stage is to put through its steps. */
  notes: Note[];
  /** Matches that are in neither, since their event has too many. */
  leftOut: number;
  events: number;
  /** By rule, how often it was true. */
  matched: ReadonlyMap<string, number>;
  /** Matches that a suppression hid; they are nowhere else. */
  hidden: Hidden[];
  /** What the rules have cost, now and then. */
  costs: Cost[];
  /** When the batch's last event happened, in ns on CLOCK_BOOTTIME; 0 where it has none. */
  lastTimeNs: number;
}

// The pool wraps what it was given: [its own data, ours].
const given = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerData;
const { files, suppressions, contentVersion, ruleMatching } = given;
const loaded = loadRules(files);
const engine = compileRules(loaded.rules, ruleMatching);
const suppressed = loadSuppressions(suppressions, loaded.rules);
const suppressor = new Suppressor(suppressed.suppressions);
const costs = new CostReport(engine);

export default function run(task: Task): RulesDescription | MatchResult {
  if (task.kind === "describe") return describe();
  try {
    return match(new BatchReader(task.bytes), task.done);
  } catch (error) {
    // Bytes that are no batch are the sender's fault, anything else is a bug here.
    if (error instanceof WireError) return { ok: false, error: error.message };
    throw error;
  }
}

function describe(): RulesDescription {
  const { rules } = loaded;
  const conditions = suppressed.suppressions.map(({ expression }) => expression);
  const correlated = [...loaded.correlated.values()].flatMap(({ fields }) => [...fields.values()].flat());
  const interest = interestOf(wishesOf(rules), "rule-engine", "", costlyOf(rules, conditions, correlated));
  return {
    rules: rules.length,
    suppressions: suppressed.suppressions.map(({ name, place, reason, author, expiresMs }) => ({
      ...{ name, place, reason, author },
      ...(expiresMs !== undefined && { expiresMs }),
    })),
    interest: toBinary(InterestSchema, interest),
    // Rules that stand alone, too, give their detections by their stories.
    plan: { correlations: loaded.correlations, silent: new Set(loaded.correlated.keys()), contentVersion },
    problems: [...loaded.problems, ...suppressed.problems],
  };
}

function match(batch: BatchReader, done: readonly number[]): MatchedBatch {
  const fresh = engine.matchBatch(batch.bytes).filter(({ eventIndex }) => !done.includes(eventIndex));
  const matched = new Map<string, number>();
  for (const { rule } of fresh) matched.set(rule.name, (matched.get(rule.name) ?? 0) + 1);
  const { shown, hidden } = suppressor.split(batch, fresh);
  const explain = explainerOf(batch);
  const matches = shown.map((one) => ({
    ...one,
    rule: describeRule(one.rule),
    explanation: explanationOf(explain(one.rule, one.eventIndex)),
  }));
  const lastTimeNs = batch.length === 0 ? 0 : batch.eventTimeNs(batch.length - 1);
  const values = valuesOf(batch);
  const toNote = matches.flatMap((one): NotedMatch[] => {
    const needs = loaded.correlated.get(one.rule.name);
    return needs ? [{ ...one, values: values(needs.fields, one.eventIndex) }] : [];
  });
  const { notes, leftOut } = noteMatches(batch, toNote, { lastTimeNs, contentVersion });
  const alone = matches.filter(({ rule }) => loaded.correlated.get(rule.name)?.alone ?? true);
  const standing = alone.map((one) => standingMatch(batch, one, contentVersion));
  const events = batch.length - done.length;
  return { ok: true, standing, notes, leftOut, events, matched, hidden, costs: costs.now(), lastTimeNs };
}

/** What a detection says of its rule. */
function describeRule({ name, priority, tags, place }: Rule): Matched["rule"] {
  return { name, priority: priority as Priority, tags, place };
}
