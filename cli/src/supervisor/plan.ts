// Which processes make up the sensor: a table, in the order in which they start.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FolderName, Settings } from "@nightjar/stage";
import { ROOT } from "../given-settings.ts";

export interface StagePlan {
  name: FolderName;
  /** What its process does, for a person. */
  work: string;
  /** The file that Node runs. */
  entry: string;
}

/** Later ones wait for the earlier ones by themselves; whatever is sent reaches who is there before it. */
const WORK: readonly [FolderName, string][] = [
  ["bus", "nats-server: streams, keys, healing"],
  ["portal", "stores detections and sensors, serves them"],
  ["uplink", "sends detections and heartbeats to the portal"],
  ["rule-engine", "evaluates rules"],
  ["aggregator", "collects indicators, makes detections of verdicts"],
  ["metadata", "asks container runtimes and Kubernetes"],
  ["enricher", "adds processes, ancestors and users"],
  ["collector", "takes events from the kernel"],
];

/** From the source of events to their end, so that each has a reader while it empties its hands. */
export const STOP_ORDER: readonly FolderName[] = [
  "collector",
  "enricher",
  "metadata",
  "rule-engine",
  "aggregator",
  "uplink",
  "portal",
  "bus",
];

/** The embedded portal is left out when the uplink has another. */
export function planStages(settings: Settings): StagePlan[] {
  return WORK.filter(([name]) => name !== "portal" || settings.uplink.portal_url === "").map(([name, work]) => ({
    name,
    work,
    entry: entryOf(name),
  }));
}

/** What is bundled runs where it is there; in a checkout Node runs the source. */
export function entryOf(name: FolderName): string {
  const folder = join(ROOT, "services", name);
  const bundled = join(folder, "dist", "main.js");
  return existsSync(bundled) ? bundled : join(folder, "src", "main.ts");
}
