// How much may leave the host in an hour, beside detections, which nothing limits: a token bucket.

const MS_PER_H = 60 * 60 * 1_000;

export interface BudgetOptions {
  bytesPerHour: number;
  /** Milliseconds that never go back. */
  clock: () => number;
}

/** Holds an hour's bytes at most, which are there at the start, and fills evenly. */
export class EgressBudget {
  readonly #options: BudgetOptions;
  #bytes: number;
  #filledAtMs: number;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#bytes = options.bytesPerHour;
    this.#filledAtMs = options.clock();
  }

  /** Takes so many bytes where they are there; false where less has to be said. */
  take(bytes: number): boolean {
    const { bytesPerHour, clock } = this.#options;
    const now = clock();
    this.#bytes = Math.min(bytesPerHour, this.#bytes + ((now - this.#filledAtMs) / MS_PER_H) * bytesPerHour);
    this.#filledAtMs = now;
    if (bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }
}
