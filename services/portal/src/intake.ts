// Stores what sensors send: requests that come while a transaction runs share the next one.
import type { Clock } from "./clock.ts";
import type { Feed } from "./feed.ts";
import { INTAKE_BATCH_BYTES_MAX, INTAKE_BATCH_MAX, INTAKE_PENDING_BYTES_MAX, INTAKE_PENDING_MAX } from "./limits.ts";
import type { Arrival, Store } from "./store.ts";

/** More waits to be stored than may; the sensor tries again later. */
export class IntakeFullError extends Error {}

interface Waiting {
  arrivals: readonly Arrival[];
  bytes: number;
  resolve: (stored: number) => void;
  reject: (error: unknown) => void;
}

export class Intake {
  readonly #store: Store;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #queue: Waiting[] = [];
  #pending = 0;
  #pendingBytes = 0;
  #running: Promise<void> | undefined;

  constructor(store: Store, feed: Feed, clock: Clock) {
    this.#store = store;
    this.#feed = feed;
    this.#clock = clock;
  }

  /** Resolves when all are on the disk, with how many had not been known. Rejects when none is. */
  save(arrivals: readonly Arrival[]): Promise<number> {
    const bytes = arrivals.reduce((sum, one) => sum + one.encoded.length, 0);
    const full =
      this.#pending + arrivals.length > INTAKE_PENDING_MAX || this.#pendingBytes + bytes > INTAKE_PENDING_BYTES_MAX;
    if (full) {
      return Promise.reject(new IntakeFullError(`${this.#pending} detections wait to be stored`));
    }
    this.#pending += arrivals.length;
    this.#pendingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ arrivals, bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Lets the requests that are being read from the sockets now come into the same transaction.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#saveTogether(this.#take());
    this.#running = undefined;
  }

  #take(): Waiting[] {
    let rows = 0;
    let bytes = 0;
    let count = 0;
    for (const one of this.#queue) {
      rows += one.arrivals.length;
      bytes += one.bytes;
      if (count > 0 && (rows > INTAKE_BATCH_MAX || bytes > INTAKE_BATCH_BYTES_MAX)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #saveTogether(group: readonly Waiting[]): Promise<void> {
    const arrivals = group.flatMap((one) => one.arrivals);
    try {
      const { fresh, cursor } = await this.#store.saveDetections(arrivals, this.#clock());
      let from = 0;
      for (const one of group) {
        const until = from + one.arrivals.length;
        one.resolve(fresh.slice(from, until).filter(Boolean).length);
        from = until;
      }
      this.#feed.advance(cursor);
    } catch (error) {
      for (const one of group) one.reject(error);
    } finally {
      this.#pending -= arrivals.length;
      this.#pendingBytes -= group.reduce((sum, one) => sum + one.bytes, 0);
    }
  }
}
