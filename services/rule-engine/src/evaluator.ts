// Evaluates the batches of EVENTS: each once, with the rules in force, and handed on in the order they came.
import { BatchReader, WireError } from "@nightjar/events";
import { GarbageError, type Stage } from "@nightjar/stage";
import type { Activity } from "./activity.ts";
import type { LiveRules } from "./live-rules.ts";
import type { Correlate } from "./ordered/correlate.ts";
import type { OrderedStage } from "./ordered/ordered-stage.ts";
import type { ProcessedRanges } from "./processed.ts";
import type { StoryIntake } from "./stories/intake.ts";
import type { MatchedBatch } from "./worker.ts";

const NS_PER_MS = 1_000_000;

/** What takes part in the evaluation of a batch. */
export interface Parts {
  stage: Stage;
  rules: LiveRules;
  processed: ProcessedRanges;
  ordered: OrderedStage;
  correlate: Correlate;
  stories: StoryIntake;
  activity: Activity;
}

/** Evaluates a batch once: what is under way or done already is only waited for. */
export function evaluator(parts: Parts): (bytes: Uint8Array) => Promise<void> {
  const { stage, processed } = parts;
  const underWay = new Map<string, Promise<void>>();
  return (bytes) => {
    const batch = readable(() => new BatchReader(bytes));
    const range = { source: batch.sourceId, first: batch.firstPosition, next: batch.nextPosition };
    if (processed.has(range)) {
      stage.counters.add("batches_repeated");
      return Promise.resolve();
    }
    let work = underWay.get(batch.id);
    if (work !== undefined) stage.counters.add("batches_repeated");
    else {
      const done = readable(() => doneOf(batch, processed));
      work = evaluate(parts, batch, done);
      underWay.set(batch.id, work);
      void work.finally(() => underWay.delete(batch.id)).catch(() => {});
    }
    return work;
  };
}

/** The events of a batch that were evaluated in another: after a restart the enricher may cut a range elsewhere. */
function doneOf(batch: BatchReader, processed: ProcessedRanges): number[] {
  const { sourceId: source, firstPosition: first, nextPosition: next } = batch;
  if (!processed.ranges.touches({ source, first, next })) return [];
  return Array.from({ length: batch.length }, (_, index) => index).filter((index) =>
    processed.ranges.includes(source, batch.eventPosition(index)),
  );
}

/**
 * Resolves when what was made of the batch is safe, so that it may be acknowledged. What the ordered stage makes of its
 * matches may take longer, and is safe without it: see OrderedStage.
 */
async function evaluate(parts: Parts, batch: BatchReader, done: readonly number[]): Promise<void> {
  const { rules, stories, ordered, correlate } = parts;
  const ticket = ordered.admit();
  try {
    await ordered.room();
    const { result, plan } = await rules.use(async (set) => ({
      result: await set.pool.match(batch.bytes, done),
      plan: set.description.plan,
    }));
    if (!result.ok) throw new GarbageError(result.error);
    const { sourceId: source, firstPosition: first, nextPosition: next } = batch;
    const { notes, lastTimeNs } = result;
    await ticket.turn;
    count(parts, batch, result);
    // Committed when both are stored: a batch that comes again makes both again.
    const also = ordered.store(ticket, notes);
    await stories.take(batch, result, { range: { source, first, next }, also });
    // A failure in it is a bug, and ends the process as every unhandled rejection does.
    const bootTimeUnixNs = Number(batch.bootTimeUnixNs);
    const prepare = () => correlate.replace(plan);
    void ordered.takeIn(ticket, { source, next, notes, bootTimeUnixNs, lastTimeNs, prepare });
  } catch (error) {
    ordered.withdraw(ticket);
    throw error;
  }
}

function count({ stage: { counters }, activity }: Parts, batch: BatchReader, result: MatchedBatch): void {
  activity.evaluated(result);
  counters.add("batches");
  const happenedMs = (Number(batch.bootTimeUnixNs) + result.lastTimeNs) / NS_PER_MS;
  if (result.events > 0) counters.set("lag_ms", Math.max(0, Math.round(Date.now() - happenedMs)));
  counters.add("events", result.events);
  for (const number of result.matched.values()) counters.add("matches", number);
  for (const { count: number } of result.hidden) counters.add("matches_suppressed", number);
  counters.add("matches_left_out", result.leftOut);
}

/** What looking into a message gives; bytes that are none of ours are garbage, not a bug. */
function readable<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof WireError) throw new GarbageError(error.message);
    throw error;
  }
}
