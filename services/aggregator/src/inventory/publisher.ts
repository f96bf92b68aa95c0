// Puts what changed in the inventory on INVENTORY, for the portal.
import { randomBytes } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { InventoryDeltaSchema } from "@nightjar/proto";
import { deltaOf } from "./deltas.ts";
import type { Inventory } from "./inventory.ts";

/** The first snapshot waits for the digests of what runs. */
const FIRST_DELAY_MS = 10_000;

export interface PublisherOptions {
  inventory: Inventory;
  /** Resolves when the bus has the message. */
  publish: (bytes: Uint8Array, messageId: string) => Promise<void>;
  intervalMs: number;
  now: () => number;
  /** Milliseconds that only grow. */
  elapsed: () => number;
}

export class InventoryPublisher {
  readonly counts = { deltas: 0, items: 0, bytes: 0 };
  readonly #options: PublisherOptions;
  #dueMs: number;
  #isSnapshotWanted = false;
  #isPublishing = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#dueMs = options.elapsed() + Math.min(FIRST_DELAY_MS, options.intervalMs);
  }

  /** What the portal has is not what it should have: it is told everything. */
  wantSnapshot(): void {
    this.#isSnapshotWanted = true;
    this.#dueMs = this.#options.elapsed();
  }

  /** Publishes when it is time to and something changed; called often. */
  async tick(): Promise<void> {
    const { inventory, intervalMs, elapsed } = this.#options;
    // Before everything was looked at, what ended meanwhile would be told as running.
    if (this.#isPublishing || !inventory.isWhole || elapsed() < this.#dueMs) return;
    this.#dueMs = elapsed() + intervalMs;
    const from = this.#isSnapshotWanted ? 0n : inventory.publishedRevision;
    if (from > 0n && from === inventory.catalogue.revision) return;
    this.#isPublishing = true;
    this.#isSnapshotWanted = false;
    try {
      await this.#publish(from);
    } finally {
      this.#isPublishing = false;
    }
  }

  async #publish(from: bigint): Promise<void> {
    const { inventory, publish, now } = this.#options;
    const parts = deltaOf(inventory.catalogue, { from, nowMs: now() });
    const to = inventory.catalogue.revision;
    // The same revision may be published twice: what was published first may have been lost at the portal.
    const name = randomBytes(8).toString("hex");
    for (const delta of parts) {
      const bytes = toBinary(InventoryDeltaSchema, delta);
      this.counts.items += delta.items.length;
      this.counts.bytes += bytes.length;
      await publish(bytes, `inventory-${name}-${delta.part}`);
    }
    this.counts.deltas++;
    inventory.publishedRevision = to;
  }
}
