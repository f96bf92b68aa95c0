// What the uplink's stores on disk share: changes one after another, and a bell for who waits for something to send.

/** Does pieces of work one after the other, in the order they were given; one that fails holds up no other. */
export class Turns {
  #tail: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `work` does. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** For one waiter at a time. */
export class Bell {
  #wake: () => void = () => {};

  ring(): void {
    this.#wake();
  }

  /** Resolves when `isThere` holds, looked at anew at each ring, or when `signal` is aborted. */
  async wait(isThere: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isThere() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = () => {
          signal.removeEventListener("abort", this.#wake);
          this.#wake = () => {};
          resolve();
        };
        signal.addEventListener("abort", this.#wake, { once: true });
      });
    }
  }
}
