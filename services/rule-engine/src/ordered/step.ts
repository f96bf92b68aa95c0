// What a step of the ordered stage is: correlation, suppression, aggregation each take what comes in order, and give.

import type { Priority } from "@nightjar/proto";
import type { RuleMatch } from "@nightjar/rules";

/** A detection on its way out: the match of one event, or what a step made of several. */
export interface Candidate extends RuleMatch {
  priority: Priority;
  /** An encoded Detection. */
  detection: Uint8Array;
}

/**
 * A step is pure: what it gives follows from what it was given since the stage began, in this order, and from nothing
 * else; no clock, no randomness. That is what makes a restart harmless: the matches that MATCHES kept are put through
 * the steps again, and what comes out is thrown away up to where it was published before the restart. A step needs not
 * know whether it is being rebuilt.
 */
export interface Step {
  /**
   * Takes the candidates of one range of events, which may be none, in the order of the events, and gives those that go
   * on to the next step. `watermarkUs` is the latest time of an event in all ranges so far, in µs since 1970 on the
   * clock of RuleMatch.timeUs: ranges are complete up to it, but for events that the kernel told of out of order.
   */
  take(candidates: readonly Candidate[], watermarkUs: number): readonly Candidate[];
}
