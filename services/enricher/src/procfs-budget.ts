// Keeps looking into /proc from taking the time that events need.
import type { ProcfsLookup } from "./tree.ts";

/** Reads in a row, for the first moments among many processes; one takes about 0.2 ms. */
export const PROCFS_READS_BURST = 1_000;
/** Reads a second in the long run: 5 % of a core at most. */
export const PROCFS_READS_PER_SECOND = 200;

/** A lookup that gives up, counted, when it is used too often; what is not read then is known from events alone. */
export class ProcfsBudget {
  reads = 0;
  refused = 0;
  readonly #lookup: ProcfsLookup;
  readonly #now: () => number;
  #left = PROCFS_READS_BURST;
  #filledAt: number;

  /** `now` gives a time in ms that only grows. */
  constructor(lookup: ProcfsLookup, now: () => number) {
    this.#lookup = lookup;
    this.#now = now;
    this.#filledAt = now();
  }

  readonly lookup: ProcfsLookup = (pid) => {
    const now = this.#now();
    const earned = ((now - this.#filledAt) / 1_000) * PROCFS_READS_PER_SECOND;
    this.#left = Math.min(this.#left + earned, PROCFS_READS_BURST);
    this.#filledAt = now;
    if (this.#left < 1) {
      this.refused++;
      return undefined;
    }
    this.#left--;
    this.reads++;
    return this.#lookup(pid);
  };
}
