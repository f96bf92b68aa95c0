// Keeps a thread from reading more than so many bytes a second: it sleeps, which only a thread of its own may.

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Milliseconds that only grow, and waiting for some; tests have their own. */
export interface Clock {
  now: () => number;
  sleep: (ms: number) => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms) => void Atomics.wait(cell, 0, 0, ms),
};

/** A bucket of bytes that fills with time; what was not used in the last `burstSeconds` may be used at once. */
export class Throttle {
  readonly #bytesPerSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #left: number;
  #filledAt: number;

  constructor(bytesPerSecond: number, burstSeconds: number, clock: Clock = realClock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#burst = bytesPerSecond * burstSeconds;
    this.#clock = clock;
    this.#left = this.#burst;
    this.#filledAt = clock.now();
  }

  /** Returns when so many bytes may be read. */
  take(bytes: number): void {
    this.#fill();
    if (this.#left < bytes) {
      this.#clock.sleep(Math.ceil(((bytes - this.#left) * 1_000) / this.#bytesPerSecond));
      this.#fill();
    }
    this.#left -= bytes;
  }

  #fill(): void {
    const now = this.#clock.now();
    const earned = ((now - this.#filledAt) / 1_000) * this.#bytesPerSecond;
    this.#left = Math.min(this.#left + earned, this.#burst);
    this.#filledAt = now;
  }
}
