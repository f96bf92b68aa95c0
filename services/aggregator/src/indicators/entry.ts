// What is known of an indicator that was shown here, in memory; the evidence itself is on disk.
import type { Verdict } from "@nightjar/proto";
import type { IndicatorKey } from "./shown.ts";

/** Processes whose evidence is kept for an indicator; of the others only how often they came is told. */
export const PROCESSES_MAX = 8;

/** Times are ms since 1970 by this host's clock. */
export interface Entry {
  key: IndicatorKey;
  createdAtMs: number;
  /** When the uplink was last asked. */
  askedAtMs: number;
  /** Those that showed it, as `pid:start`, in the order in which they did. */
  processes: string[];
  evidenceBytes: number;
  /** Events of others beyond these. */
  omitted: number;
  /** Where it is malicious. */
  verdict: Verdict | undefined;
  /** How many processes the detection that went out last has. */
  told: number;
}
