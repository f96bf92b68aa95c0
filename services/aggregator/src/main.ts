// The stage aggregator: FACTS to INVENTORY and INDICATORS, and what VERDICTS say of those to DETECTIONS.
import { fromBinary } from "@bufbuild/protobuf";
import { WireError } from "@nightjar/events";
import { type VerdictBatch, VerdictBatchSchema } from "@nightjar/proto";
import { type CounterName, describeError, GarbageError, type MessageInfo, runStage, type Stage } from "@nightjar/stage";
import { readBatches } from "./facts.ts";
import type { Indicators } from "./indicators/indicators.ts";
import { startIndicators } from "./indicators/start.ts";
import { publishInterest } from "./interest.ts";
import type { Inventory } from "./inventory/inventory.ts";
import { measure } from "./inventory/measure.ts";
import { startInventory } from "./inventory/start.ts";

/** Not as a stage, but for its benchmark: a measurement by its name. */
const MEASURE = "--measure";

if (process.argv[2] === MEASURE) process.exitCode = await measure(process.argv[3]);
else await runStage("aggregator", main);

async function main(stage: Stage): Promise<void> {
  const { bus, settings } = stage;
  const { in_flight_messages: inFlightMax } = settings.aggregator;
  await bus.connect();
  const indicators = await startIndicators(stage);
  const { inventory, report: reportInventory } = await startInventory(stage);
  stage.beforeStatus = () => {
    report(stage, indicators, inventory);
    reportInventory();
  };
  bus.consume("FACTS", takeFacts(stage, indicators, inventory), { inFlightMax });
  bus.consume("VERDICTS", (bytes) => indicators.judge(verdictsOf(bytes)), { inFlightMax });
  await publishInterest(stage);
  stage.ready();
}

function takeFacts(stage: Stage, indicators: Indicators, inventory: Inventory) {
  let last = 0;
  return async (bytes: Uint8Array, { sequence }: MessageInfo): Promise<void> => {
    // After a restart it begins anew, as the numbers do when the bus had to begin a new store.
    if (last > 0 && sequence > last + 1) tellLost(stage, sequence - last - 1);
    last = sequence;
    const batches = readable(() => readBatches(bytes));
    stage.counters.add("batches", batches.length);
    readable(() => batches.map((batch) => inventory.take(batch)));
    const taken = await Promise.allSettled(batches.map((batch) => indicators.take(batch)));
    const failed = taken.find((one) => one.status === "rejected");
    if (failed) throw garbageOr(failed.reason);
  };
}

function tellLost({ counters, health }: Stage, messages: number): void {
  counters.add("messages_lost", messages);
  health.raise("FACTS_LOST", `${counters.get("messages_lost")} messages had to make room since the start`);
}

function report(stage: Stage, { counts, size, evidenceBytes }: Indicators, { catalogue }: Inventory): void {
  const values: Partial<Record<CounterName, number>> = {
    facts: counts.facts,
    indicators: size,
    evidence_bytes: evidenceBytes,
    indicators_shown: counts.shown,
    indicators_asked: counts.asked,
    indicators_evicted: counts.evicted,
    indicators_purged: counts.purged,
    verdicts: counts.verdicts,
    verdicts_malicious: counts.malicious,
    verdicts_unmatched: counts.unmatched,
    detections: counts.detections,
  };
  for (const [name, value] of Object.entries(values)) stage.counters.set(name as CounterName, value);
  const indicators = `${size} indicators, ${counts.asked} looked up, ${counts.malicious} malicious`;
  stage.summary = `${catalogue.size} items in the inventory, ${indicators}`;
}

function verdictsOf(bytes: Uint8Array): VerdictBatch {
  try {
    return fromBinary(VerdictBatchSchema, bytes);
  } catch (error) {
    throw new GarbageError(describeError(error), { cause: error });
  }
}

function readable<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw garbageOr(error);
  }
}

/** Bytes that are none of ours are garbage, not a bug. */
function garbageOr(error: unknown): unknown {
  return error instanceof WireError ? new GarbageError(error.message, { cause: error }) : error;
}
