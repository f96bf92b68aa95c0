// Publishes batches to RAW in order and lets the ring go on only behind what the bus has stored.
import type { Stage } from "@nightjar/stage";

const RAW_SUBJECT = "nightjar.raw";

export interface Batch {
  bytes: Uint8Array;
  firstPosition: bigint;
  nextPosition: bigint;
  events: number;
  /** Tells apart batches of the same range: those that a recording begins with have none of their own. */
  part?: number;
}

/** The stages behind know a batch by its range; the server by this name, the same each time. */
export function messageIdOf(source: string, batch: Batch): string {
  const range = `${source}:${batch.firstPosition}-${batch.nextPosition}`;
  return batch.part === undefined ? range : `${range}/${batch.part}`;
}

export class RawPublisher {
  readonly #stage: Stage;
  readonly #source: string;
  readonly #release: (position: bigint) => void;
  readonly #order: { nextPosition: bigint; stored: boolean }[] = [];
  #idle: (() => void)[] = [];
  #stored = 0n;

  /** `source` is boot id and epoch; `release` is told up to where everything is stored. */
  constructor(stage: Stage, source: string, release: (position: bigint) => void) {
    this.#stage = stage;
    this.#source = source;
    this.#release = release;
  }

  /** Batches not yet stored. */
  get pending(): number {
    return this.#order.length;
  }

  /** The position up to which everything is stored on the bus. */
  get stored(): bigint {
    return this.#stored;
  }

  publish(batch: Batch): void {
    const place = { nextPosition: batch.nextPosition, stored: false };
    this.#order.push(place);
    void this.#stage.bus.publish("RAW", RAW_SUBJECT, batch.bytes, messageIdOf(this.#source, batch)).then(() => {
      place.stored = true;
      this.#stage.counters.add("batches_published");
      this.#stage.counters.add("events_published", batch.events);
      this.#advance();
    });
  }

  /** Resolves when fewer than `count` batches are pending. */
  async fewerThan(count: number): Promise<void> {
    while (this.#order.length >= count) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #advance(): void {
    let position: bigint | undefined;
    while (this.#order[0]?.stored) position = this.#order.shift()?.nextPosition;
    if (position === undefined) return;
    this.#stored = position;
    this.#release(position);
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
