// Says whether a test of rules holds: which rules matched its events, and of those that should not or did not, why.
import { BatchReader } from "@nightjar/events";
import type { Engine } from "../engine/engine.ts";
import { type Explanation, explainerOf } from "../engine/explain.ts";
import type { Rule } from "../files/load.ts";
import type { RuleTest } from "./test-file.ts";

/** What is wrong with a test. */
export interface Failure {
  rule: string;
  message: string;
  /** On which of the test's events, from 0 on, and why the rule is true of it or is not. */
  eventIndex?: number;
  explanation?: Explanation;
}

/** Of a recording only so many events are explained. */
const EXPLAINED_EVENTS_MAX = 3;

/** Judges a test by its encoded batches: none where nothing failed. */
export function judge(test: RuleTest, engine: Engine, batches: readonly Uint8Array[]): Failure[] {
  const found = batches.map((bytes) => engine.matchBatch(bytes));
  const matched = new Set(found.flat().map(({ rule }) => rule.name));
  const known = new Map(engine.rules.map((rule) => [rule.name, rule]));
  const unwanted = test.noMatch === "others" ? [...matched].filter((rule) => !test.match.includes(rule)) : test.noMatch;
  const failures: Failure[] = [];
  for (const name of test.match) {
    const rule = known.get(name);
    if (!rule) failures.push({ rule: name, message: "there is no such rule, or it is not enabled" });
    else if (!matched.has(name)) failures.push(...silent(rule, batches));
  }
  for (const name of unwanted) {
    if (!known.has(name)) failures.push({ rule: name, message: "there is no such rule, or it is not enabled" });
    for (const [at, matches] of found.entries()) {
      const match = matches.find(({ rule }) => rule.name === name);
      if (!match) continue;
      const explanation = explainerOf(new BatchReader(batches[at] as Uint8Array))(match.rule, match.eventIndex);
      failures.push({ rule: name, message: "matched and should not", eventIndex: match.eventIndex, explanation });
      break;
    }
  }
  return failures;
}

function silent(rule: Rule, batches: readonly Uint8Array[]): Failure[] {
  const message = "did not match";
  const [bytes] = batches;
  if (!bytes || batches.length > 1) return [{ rule: rule.name, message }];
  const batch = new BatchReader(bytes);
  if (batch.length > EXPLAINED_EVENTS_MAX) return [{ rule: rule.name, message }];
  const explain = explainerOf(batch);
  return Array.from({ length: batch.length }, (_, eventIndex) => {
    return { rule: rule.name, message, eventIndex, explanation: explain(rule, eventIndex) };
  });
}
