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
  wishesOf,
} from "@nightjar/rules";
import type { RuleFile } from "@nightjar/stage";
import { workerData } from "piscina";
import { type DetectionGroup, groupDetections, type Matched } from "./detections.ts";
import { explanationOf } from "./explanation.ts";

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
  problems: Problem[];
}

export type MatchResult =
  | { ok: true; groups: DetectionGroup[]; events: number; matches: number }
  | { ok: false; error: string };

// The pool wraps what it was given: [its own data, ours].
const { files, contentVersion } = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerData;
const loaded = loadRules(files);
const engine = compileRules(loaded.rules);

export default function run(task: Task): RulesDescription | MatchResult {
  if (task.kind === "describe") {
    const { rules } = loaded;
    const interest = interestOf(wishesOf(rules), "rule-engine", "", costlyOf(rules));
    return { rules: rules.length, interest: toBinary(InterestSchema, interest), problems: loaded.problems };
  }
  try {
    const batch = new BatchReader(task.bytes);
    const fresh = engine.matchBatch(task.bytes).filter((match) => !task.done.includes(match.eventIndex));
    const explain = explainerOf(batch);
    const matches = fresh.map((match) => ({
      ...match,
      rule: describeRule(match.rule),
      explanation: explanationOf(explain(match.rule, match.eventIndex)),
    }));
    const events = batch.length - task.done.length;
    return { ok: true, groups: groupDetections(batch, matches, contentVersion), events, matches: matches.length };
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
