// Makes durable consumers anew, so that what was not acknowledged comes first and in order.
import { JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import type { Stream, StreamName } from "@nightjar/stage";
import { durableConfig, durableOf, keepFor } from "./provision.ts";

/** nats-server's error for a consumer that is not there (its errors.json). */
const CONSUMER_NOT_FOUND = 10014;

export class Durables {
  readonly #manager: JetStreamManager;
  /** What is done to a durable waits for what was asked before. */
  readonly #last = new Map<StreamName, Promise<void>>();
  readonly #revisions = new Map<StreamName, number>();

  constructor(manager: JetStreamManager) {
    this.#manager = manager;
  }

  /** Deletes and makes the durable of a queue or log; its messages stay. Rejects as the server refuses or is away. */
  anew(stream: Stream): Promise<void> {
    const before = this.#last.get(stream.name) ?? Promise.resolve();
    const now = before.then(
      () => this.#recreate(stream),
      () => this.#recreate(stream),
    );
    this.#last.set(stream.name, now);
    return now;
  }

  /** Has a log keep what it holds for so long. */
  keep(stream: Stream, keepMs: number): Promise<void> {
    return keepFor(this.#manager, stream, keepMs);
  }

  /** Another number whenever the durable was touched: what was seen of it before says nothing any more. */
  revision(stream: Stream): number {
    return this.#revisions.get(stream.name) ?? 0;
  }

  async #recreate(stream: Stream): Promise<void> {
    this.#touch(stream);
    try {
      await this.#manager.consumers.delete(stream.name, durableOf(stream));
    } catch (error) {
      if (!isConsumerMissing(error)) throw error;
    }
    await this.#manager.consumers.add(stream.name, durableConfig(stream));
    this.#touch(stream);
  }

  #touch(stream: Stream): void {
    this.#revisions.set(stream.name, this.revision(stream) + 1);
  }
}

/** Whether the server said that there is no such consumer. */
export function isConsumerMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND;
}
