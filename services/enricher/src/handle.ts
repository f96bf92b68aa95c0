// What is done with each message of RAW: enrich in order, publish, resolve when all of it is stored.
import { WireError } from "@nightjar/events";
import { GarbageError } from "@nightjar/stage";
import type { Enricher } from "./enricher.ts";
import type { Output } from "./output.ts";

/** Resolves when the bus has stored the output. */
export type Publish = (output: Output) => Promise<void>;

/**
 * The handler of RAW. It takes a batch into the tree before it returns, so calls in order are batches in order, and
 * resolves when every output of the batch is stored. A batch that came before resolves when its first output is stored.
 * `tell` is given what only those want who listen; nobody waits for it.
 */
export function createHandler(
  enricher: Enricher,
  publish: Publish,
  tell: (output: Output) => void = () => undefined,
): (bytes: Uint8Array) => Promise<void> {
  /** Batches that are taken in and not stored yet, by their range. */
  const underWay = new Map<string, Promise<unknown>>();
  return async (bytes) => {
    const { id, outputs, tapped } = take(enricher, bytes);
    if (outputs === "repeated") {
      // Cut otherwise than the first time it is part of others: all that was begun before it is enough.
      await (underWay.get(id) ?? Promise.all(underWay.values()));
      return;
    }
    const stored = Promise.all(outputs.map(publish));
    tapped.forEach(tell);
    underWay.set(id, stored);
    try {
      await stored;
    } finally {
      underWay.delete(id);
    }
  };
}

function take(enricher: Enricher, bytes: Uint8Array) {
  try {
    return enricher.take(bytes);
  } catch (error) {
    if (error instanceof WireError) throw new GarbageError(error.message, { cause: error });
    throw error;
  }
}
