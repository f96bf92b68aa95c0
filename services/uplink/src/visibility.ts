// How much of the host is seen, by what the stages say of themselves.
import { type StageStatus, Visibility } from "@nightjar/proto";
import type { HealthCodeName } from "@nightjar/stage";

/** Without these nothing is watched, or nothing detected. */
const NEEDED = ["collector", "enricher", "rule-engine"];
const BLIND: ReadonlySet<string> = new Set(["RULES_NONE"] satisfies HealthCodeName[]);
/** What these say is not seen, was given up, or was lost on the way. */
const REDUCED: ReadonlySet<string> = new Set([
  "PROBE_PARTIAL",
  "PROBE_RING_LOST",
  "EVENTS_DROPPED",
  "ENRICHMENT_LOST",
  "RULES_PROBLEM",
  "CORRELATION_LIMIT",
  "STREAM_FULL",
  "DISK_FULL",
  "GARBAGE",
  "POISON",
  "BUS_STORE_BROKEN",
  "GOVERNOR_NOISY_READS",
  "GOVERNOR_READS",
  "GOVERNOR_LIBRARIES",
  "GOVERNOR_NETWORK",
  "GOVERNOR_WRITES",
  "GOVERNOR_ALL_BUT_PROCESSES",
] satisfies HealthCodeName[]);

/** `statuses` are those of the stages that answered. */
export function visibilityOf(statuses: readonly StageStatus[]): Visibility {
  const ready = new Set(statuses.filter((status) => status.ready).map(({ stage }) => stage));
  const codes = statuses.flatMap(({ healthIssues }) => healthIssues.map(({ code }) => code));
  if (NEEDED.some((stage) => !ready.has(stage)) || codes.some((code) => BLIND.has(code))) return Visibility.NONE;
  return codes.some((code) => REDUCED.has(code)) ? Visibility.REDUCED : Visibility.FULL;
}
