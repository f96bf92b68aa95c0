// What all that talks to the portal shares: how patiently it tries, and what becomes of a bug in its loop.
import type { BackoffOptions, Settings } from "@nightjar/stage";

const MS_PER_S = 1_000;

/** How often a call is tried again, as the settings say. */
export function backoffOptions(uplink: Settings["uplink"]): BackoffOptions {
  return {
    baseMs: uplink.retry_base_ms,
    maxMs: uplink.retry_max_ms,
    jitter: uplink.retry_jitter,
    fastWindowMs: uplink.fast_window_s * MS_PER_S,
    slowIntervalMs: uplink.slow_interval_s * MS_PER_S,
  };
}

/** A bug: thrown where nothing catches it, so that the process ends and is started again. */
export function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
