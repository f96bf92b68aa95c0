// The stage rule-engine: evaluates EVENTS on a pool of threads and puts what matched on DETECTIONS.
import { fileURLToPath } from "node:url";
import { BatchReader, WireError } from "@nightjar/events";
import { GarbageError, runStage, type Stage } from "@nightjar/stage";
import { LiveRules } from "./live-rules.ts";
import { ProcessedRanges } from "./processed.ts";
import type { RuleSet } from "./rule-set.ts";

const STARTER_RULES = fileURLToPath(new URL("../rules", import.meta.url));

await runStage("rule-engine", async (stage) => {
  const settings = stage.settings.rule_engine;
  const paths = settings.rules.length > 0 ? settings.rules : [STARTER_RULES];
  const processed = await ProcessedRanges.open(`${stage.folder}/processed`);
  stage.onStop(() => processed.close());
  await stage.bus.connect();
  const rules = await LiveRules.start(stage, { paths, threads: settings.workers });
  stage.onStop(() => rules.close());
  stage.beforeStatus = () => {
    stage.counters.set("ranges", processed.ranges.count);
    stage.facts.set("processed", JSON.stringify(processed.ranges.toRecord()));
    stage.summary = `${rules.set.description.rules} rules, ${stage.counters.get("events")} events evaluated`;
  };
  stage.bus.consume("EVENTS", evaluator(stage, rules, processed), { inFlightMax: settings.in_flight_batches });
  rules.follow();
  stage.ready();
});

/** Evaluates a batch once: what is under way or done already is only waited for. */
function evaluator(stage: Stage, rules: LiveRules, processed: ProcessedRanges): (bytes: Uint8Array) => Promise<void> {
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
      work = rules.use((set) => evaluate(stage, set, bytes, done)).then(() => processed.commit(range));
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

async function evaluate(stage: Stage, set: RuleSet, bytes: Uint8Array, done: readonly number[]): Promise<void> {
  const result = await set.pool.match(bytes, done);
  if (!result.ok) throw new GarbageError(result.error);
  await Promise.all(
    result.groups.map((group) => stage.bus.publish("DETECTIONS", group.subject, group.bytes, group.messageId)),
  );
  stage.counters.add("batches");
  stage.counters.add("events", result.events);
  stage.counters.add("detections", result.matches);
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
