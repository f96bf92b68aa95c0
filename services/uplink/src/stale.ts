// Detections that waited too long for the portal: nobody could act on them any more.
import type { Stage } from "@nightjar/stage";
import { STALE_SWEEP_MS } from "./limits.ts";
import type { Outbox } from "./outbox.ts";

const MS_PER_H = 60 * 60 * 1_000;

export function startStaleSweep(stage: Stage, outbox: Outbox, clock: () => number): void {
  const { counters, health, log, settings } = stage;
  const hours = settings.uplink.stale_after_h;
  const sweep = async () => {
    const stale = await deleteStale(outbox, clock, hours);
    if (stale === 0) return;
    counters.add("detections_stale", stale);
    health.raise("DETECTIONS_STALE", `${stale} detections waited ${hours} hours for the portal and were deleted`);
  };
  const run = () => void sweep().catch((error) => log.error("the outbox cannot be looked through", { error }));
  const timer = setInterval(run, STALE_SWEEP_MS);
  run();
  stage.onStop(() => clearInterval(timer));
}

/** Deletes what has waited so many hours by the outbox's clock; resolves with how many detections that were. */
export function deleteStale(outbox: Outbox, clock: () => number, hours: number): Promise<number> {
  return outbox.deleteStoredBefore(clock() - hours * MS_PER_H);
}
