// Tells readers that something new has been stored; what it is they read from the store, at their own pace.

/**
 * Readers hold a cursor and no queue, so that one who is slow costs nothing but the page in its hands.
 */
export class Feed {
  #latest: bigint;
  readonly #waiting = new Set<() => void>();

  constructor(latest: bigint) {
    this.#latest = latest;
  }

  /** The cursor up to which everything is stored. */
  get latest(): bigint {
    return this.#latest;
  }

  advance(cursor: bigint): void {
    if (cursor <= this.#latest) return;
    this.#latest = cursor;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }

  /** Resolves when something is stored beyond `after`, or when `signal` is aborted. */
  wait(after: bigint, signal: AbortSignal): Promise<void> {
    if (this.#latest > after || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
