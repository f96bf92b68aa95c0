// Says whether a test of rules holds: which rules matched its events, and of those that should not or did not, why.
import { BatchReader } from "@nightjar/events";
import type { Engine, Match } from "../engine/engine.ts";
import { type Explanation, explainerOf } from "../engine/explain.ts";
import type { LoadResult, Rule } from "../files/load.ts";
import { isNamed } from "../sigma/load.ts";
import { firedBy } from "./fired.ts";
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

/** Rules as they were loaded, and their engine. */
export interface Judged extends Pick<LoadResult, "correlations" | "correlated"> {
  engine: Engine;
}

/** Judges a test by its encoded batches: none where nothing failed. A rule is named as filters name it. */
export function judge(test: RuleTest, judged: Judged, batches: readonly Uint8Array[]): Failure[] {
  const { engine, correlations, correlated } = judged;
  const found = batches.map((bytes) => [new BatchReader(bytes), engine.matchBatch(bytes)] as const);
  const matched = new Set(found.flatMap(([, matches]) => matches.map(({ rule }) => rule)));
  const fired = new Set(firedBy(judged, found));
  const failures: Failure[] = [];
  const find = (name: string): Rule[] => {
    const rules = engine.rules.filter((rule) => isNamed(rule, name));
    const isCorrelation = correlations.some((one) => one.name === name);
    const message = "there is no such rule, or it is not enabled";
    if (rules.length === 0 && !isCorrelation) failures.push({ rule: name, message });
    return rules;
  };
  const wanted = test.match.flatMap(find);
  // What is only there to be correlated says nothing by itself.
  const loudOnes = [...matched].filter((rule) => correlated.get(rule.name)?.alone !== false);
  const named = test.noMatch === "others" ? undefined : test.noMatch;
  const unwanted = named?.flatMap(find) ?? loudOnes.filter((rule) => !wanted.includes(rule));
  for (const rule of wanted) if (!matched.has(rule)) failures.push(...silent(rule, batches));
  for (const rule of unwanted) failures.push(...loud(rule, found));
  for (const { name } of correlations) {
    const isWanted = test.match.includes(name);
    if (isWanted && !fired.has(name)) failures.push({ rule: name, message: "the correlation did not fire" });
    const isUnwanted = named?.includes(name) ?? !isWanted;
    if (isUnwanted && fired.has(name)) failures.push({ rule: name, message: "the correlation fired and should not" });
  }
  return failures;
}

/** Of a rule that matched and should not, the first match. */
function loud(rule: Rule, found: readonly (readonly [BatchReader, readonly Match[]])[]): Failure[] {
  for (const [batch, matches] of found) {
    const match = matches.find((one) => one.rule === rule);
    if (!match) continue;
    const { eventIndex } = match;
    const explanation = explainerOf(batch)(rule, eventIndex);
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
