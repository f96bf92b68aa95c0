// Puts the indicators between FACTS, the uplink and DETECTIONS, with their state in the stage's folder.
import { join } from "node:path";
import { describeError, type Stage, streamOf } from "@nightjar/stage";
import { showingTypes } from "../interest.ts";
import { Indicators } from "./indicators.ts";
import { IndicatorStore } from "./store.ts";

const MS_PER_S = 1_000;
const MS_PER_H = 3_600_000;

/** Resolves when what was kept is read and what was not told yet is on the bus. */
export async function startIndicators(stage: Stage): Promise<Indicators> {
  const { bus, health, log, settings } = stage;
  const limits = settings.aggregator;
  const { store, entries, broken } = await IndicatorStore.open(join(stage.folder, "indicators"));
  stage.onStop(() => store.close());
  if (broken) health.raise("INDICATORS_BROKEN", `what was kept of indicators could not be read; it is in ${broken}`);
  const subject = streamOf("INDICATORS").subjects[0] as string;
  const world = {
    ask: (bytes: Uint8Array, messageId: string) => bus.publish("INDICATORS", subject, bytes, messageId),
    tell: (to: string, bytes: Uint8Array, messageId: string) => bus.publish("DETECTIONS", to, bytes, messageId),
    store,
    stored: (error?: unknown) => {
      if (error === undefined) health.resolve("INDICATORS_UNSTORED");
      else health.raise("INDICATORS_UNSTORED", describeError(error));
    },
    now: Date.now,
  };
  const indicators = new Indicators(
    world,
    {
      windowMs: limits.indicator_window_s * MS_PER_S,
      keptMs: limits.indicator_kept_h * MS_PER_H,
      entriesMax: limits.indicators_max,
      evidenceBytesMax: limits.evidence_bytes,
      types: showingTypes(limits),
    },
    entries,
  );
  log.info("what was kept of indicators is read", { indicators: entries.length });
  await indicators.resume();
  return indicators;
}
