// Whether a stage's work advances: what it has in hand, and when something of it was last done.

/** An event loop that turns is no sign of work: a thread, a lock or a promise may never come back. */
export class Progress {
  readonly #clock: () => number;
  readonly #checks: (() => boolean)[] = [];
  #inHand = 0;
  #advancedAt: number;

  /** `clock` gives milliseconds that only grow. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#advancedAt = clock();
  }

  /** Something is in hand until `done`. */
  begin(): void {
    // What was idle for long has not stood still.
    if (this.#inHand++ === 0) this.advance();
  }

  done(): void {
    this.#inHand--;
    this.advance();
  }

  /** A step of something longer, or another try of what others keep from being done. */
  advance(): void {
    this.#advancedAt = this.#clock();
  }

  /** `isWorking` is asked as well: it says false while work that is not in hand here stands still. */
  check(isWorking: () => boolean): void {
    this.#checks.push(isWorking);
  }

  /** For how long nothing was done although there was something to do, in milliseconds. */
  get stalledMs(): number {
    const isWorking = this.#checks.every((one) => one());
    if (isWorking && this.#inHand === 0) this.advance();
    return this.#clock() - this.#advancedAt;
  }
}
