// When to try again: exponential with jitter in the fast window, then at the slow interval.

export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
  /** The part of a wait that is random, 0 to 1. */
  jitter: number;
  /** After this long without success waits become slow; Infinity for never. */
  fastWindowMs: number;
  slowIntervalMs: number;
}

/** Of a slow wait only this part is random, so that an hour stays about an hour and a fleet does not come at once. */
const SLOW_JITTER_PART = 0.1;
/** Beyond, the doubling has long met any maximum. */
const DOUBLINGS_MAX = 30;

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #clock: () => number;
  readonly #random: () => number;
  #failures = 0;
  #firstFailureMs = 0;

  constructor(options: BackoffOptions, clock: () => number = performance.now.bind(performance), random = Math.random) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  /** Called after a failure: how many milliseconds to wait before the next try. */
  next(): number {
    const { baseMs, maxMs, jitter, fastWindowMs, slowIntervalMs } = this.#options;
    const now = this.#clock();
    if (this.#failures === 0) this.#firstFailureMs = now;
    const doublings = Math.min(this.#failures++, DOUBLINGS_MAX);
    if (now - this.#firstFailureMs >= fastWindowMs) {
      return slowIntervalMs * (1 - jitter * SLOW_JITTER_PART * this.#random());
    }
    const ceiling = Math.min(maxMs, baseMs * 2 ** doublings);
    return ceiling * (1 - jitter * this.#random());
  }

  /** Called after a success. */
  reset(): void {
    this.#failures = 0;
  }
}
