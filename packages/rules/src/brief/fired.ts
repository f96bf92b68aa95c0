// Which correlations the matches of a test's events make, all at once and in the order of their times.
import type { BatchReader } from "@nightjar/events";
import { ProcessSchema } from "@nightjar/proto";
import { CorrelationEngine } from "../correlation/engine.ts";
import type { RuleMatch } from "../correlation/match.ts";
import { valuesOf } from "../correlation/values.ts";
import type { Match } from "../engine/engine.ts";
import { EventView } from "../engine/event-view.ts";
import type { LoadResult } from "../files/load.ts";

const PROCESS = ProcessSchema.field;
const NS_PER_US = 1_000n;

/** Names of the correlations that fire, each as often as it begins a story. */
export function firedBy(
  { correlations, correlated }: Pick<LoadResult, "correlations" | "correlated">,
  found: readonly (readonly [BatchReader, readonly Match[]])[],
): string[] {
  const matches = found.flatMap(([batch, ofBatch]) => {
    const values = valuesOf(batch);
    return ofBatch.flatMap((match): RuleMatch[] => {
      const needs = correlated.get(match.rule.name);
      return needs ? [matchOf(batch, match, values(needs.fields, match.eventIndex))] : [];
    });
  });
  return new CorrelationEngine(correlations)
    .take(matches, Number.POSITIVE_INFINITY)
    .filter(({ correlation, repeats }) => correlation.alone && !repeats)
    .map(({ correlation }) => correlation.name);
}

function matchOf(batch: BatchReader, { rule, eventIndex, position, lineage }: Match, fields: RuleMatch["fields"]) {
  const view = new EventView();
  view.open(batch);
  const timeNs = BigInt(batch.eventTimeNs(eventIndex)) + batch.bootTimeUnixNs;
  return {
    ...{ rule: rule.name, source: batch.sourceId, position, timeUs: Number(timeNs / NS_PER_US), fields },
    lineage: lineage.map((row) => {
      const message = view.process(row)?.message;
      return `${message?.uint(PROCESS.pid.number)}:${message?.uint64(PROCESS.startTimeNs.number)}`;
    }),
  };
}
