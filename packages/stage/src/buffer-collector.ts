// Has the young generation collected by the bytes that passed, not only by the objects that held them.

/** A few collections a second under the heaviest load, each about a millisecond. */
const BYTES_BETWEEN_COLLECTIONS = 8 * 1024 * 1024;

type Collect = (options: { type: "minor" }) => void;

/**
 * V8 collects its young generation when that is full of objects. A batch is a small object that holds tens of
 * kilobytes outside of the heap, so a storm's batches, long done with, would take a hundred megabytes before anyone
 * looks. Does nothing where Node was started without --expose-gc. One for each thread.
 */
export class BufferCollector {
  readonly #collect = (globalThis as { gc?: Collect }).gc;
  #bytes = 0;

  /** Bytes that came in or went out. */
  passed(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < BYTES_BETWEEN_COLLECTIONS) return;
    this.#bytes = 0;
    this.#collect?.({ type: "minor" });
  }
}
