// Keeps the order of the stream through work that ends in any order.

/** One piece of work's place in the order. */
export interface Ticket {
  /** Resolves when all before it have had their turn at publishing, or gave it up. */
  readonly turn: Promise<void>;
  /** Says that those behind it may publish. */
  readonly published: () => void;
  /** Resolves when all before it have been taken in, or gave it up. */
  readonly intake: Promise<void>;
  /** Says that those behind it may be taken in. */
  readonly takenIn: () => void;
}

/**
 * Batches are evaluated side by side, and what comes of them is published and taken in in the order they came from the
 * stream, which is the order of their positions: whoever writes EVENTS publishes in order, and after a crash of a
 * reader what was not acknowledged comes first. What is garbage gives its place up, so that a range that never comes
 * holds nobody up.
 */
export class Sequence {
  #published: Promise<void> = Promise.resolve();
  #takenIn: Promise<void> = Promise.resolve();

  /** The next place; to be asked for in the order of the stream. */
  admit(): Ticket {
    const publishing = Promise.withResolvers<void>();
    const takingIn = Promise.withResolvers<void>();
    const ticket = {
      turn: this.#published,
      published: publishing.resolve,
      intake: this.#takenIn,
      takenIn: takingIn.resolve,
    };
    this.#published = publishing.promise;
    this.#takenIn = takingIn.promise;
    return ticket;
  }

  /** Gives a place up: those behind it no longer wait for it, only for those before it. */
  withdraw({ turn, published, intake, takenIn }: Ticket): void {
    void turn.then(published);
    void intake.then(takenIn);
  }
}
