// Safe mode: what a stage that failed again and again gives up before it tries once more.
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { StageName } from "./streams.ts";

/**
 * What in a stage's folder is a memory of what was learnt and can be learnt again. Detections that wait, processed
 * ranges, stories and streams are not among it.
 */
const CACHES: Partial<Record<StageName, readonly string[]>> = {
  collector: ["ring.json"],
  aggregator: ["indicators"],
  uplink: ["indicators"],
};

/** Clears the caches of a stage; returns those it has, for the log. */
export function clearCaches(stage: StageName, folder: string): readonly string[] {
  const caches = CACHES[stage] ?? [];
  for (const name of caches) rmSync(join(folder, name), { recursive: true, force: true });
  return caches;
}
