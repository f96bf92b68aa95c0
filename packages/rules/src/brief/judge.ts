// Says whether a test of rules holds: which rules matched its events, and of those that should not or did not, why.
import { BatchReader } from "@nightjar/events";
import type { Engine, Match } from "../engine/engine.ts";
import { type Explanation, explainerOf } from "../engine/explain.ts";
import type { Rule } from "../files/load.ts";
import { isNamed } from "../sigma/load.ts";
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
  const matched = new Set(found.flat().map(({ rule }) => rule));
  const failures: Failure[] = [];
  const find = (name: string): Rule[] => {
    const rules = engine.rules.filter((rule) => isNamed(rule, name));
    if (rules.length === 0) failures.push({ rule: name, message: "there is no such rule, or it is not enabled" });
    return rules;
  };
  const wanted = test.match.flatMap(find);
  const others = [...matched].filter((rule) => !wanted.includes(rule));
  const unwanted = test.noMatch === "others" ? others : test.noMatch.flatMap(find);
  for (const rule of wanted) if (!matched.has(rule)) failures.push(...silent(rule, batches));
  for (const rule of unwanted) failures.push(...loud(rule, found, batches));
  return failures;
}

/** Of a rule that matched and should not, the first match. */
function loud(rule: Rule, found: readonly Match[][], batches: readonly Uint8Array[]): Failure[] {
  for (const [at, matches] of found.entries()) {
    const match = matches.find((one) => one.rule === rule);
    if (!match) continue;
    const { eventIndex } = match;
    const explanation = explainerOf(new BatchReader(batches[at] as Uint8Array))(rule, eventIndex);
    return [{ rule: rule.name, message: "matched and should not", eventIndex, explanation }];
  }
  return [];
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
