// Which step the governor is on: down while something stays over its budget, up when all has been well for long.

/** A step back that did not last makes the next one wait twice as long, up to so many times. */
const BACK_FACTOR_MAX = 10;

export interface LadderOptions {
  /** How many steps there are. */
  steps: number;
  /** How long something must be over before each step down, and all well before each step up. */
  overMs: number;
  backMs: number;
}

/** Between the two it is neither over nor well, and nothing changes: that is the hysteresis. */
export interface Pressure {
  isOver: boolean;
  isWell: boolean;
}

export class Ladder {
  readonly #options: LadderOptions;
  #step = 0;
  #overSinceMs: number | undefined;
  #wellSinceMs: number | undefined;
  #backFactor = 1;
  #wentBackAtMs: number | undefined;

  constructor(options: LadderOptions) {
    this.#options = options;
  }

  /** How many steps are in force. */
  get step(): number {
    return this.#step;
  }

  /** Takes in what is measured at a moment, in milliseconds of a clock that only goes forward. */
  look(nowMs: number, { isOver, isWell }: Pressure): void {
    const { steps, overMs, backMs } = this.#options;
    this.#overSinceMs = isOver ? (this.#overSinceMs ?? nowMs) : undefined;
    this.#wellSinceMs = isWell && !isOver ? (this.#wellSinceMs ?? nowMs) : undefined;
    if (this.#overSinceMs !== undefined && nowMs - this.#overSinceMs >= overMs && this.#step < steps) {
      this.#down(nowMs);
    } else if (this.#wellSinceMs !== undefined && nowMs - this.#wellSinceMs >= backMs * this.#backFactor) {
      this.#up(nowMs);
    }
  }

  #down(nowMs: number): void {
    const didNotLast =
      this.#wentBackAtMs !== undefined && nowMs - this.#wentBackAtMs < this.#options.backMs * this.#backFactor;
    if (didNotLast) this.#backFactor = Math.min(this.#backFactor * 2, BACK_FACTOR_MAX);
    this.#wentBackAtMs = undefined;
    this.#step++;
    this.#overSinceMs = nowMs;
  }

  #up(nowMs: number): void {
    this.#wellSinceMs = nowMs;
    // It has been well for as long again without a step in force.
    if (this.#step === 0) this.#backFactor = 1;
    else this.#wentBackAtMs = nowMs;
    this.#step = Math.max(0, this.#step - 1);
  }
}
