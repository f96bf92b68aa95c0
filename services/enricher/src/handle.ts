// What is done with each message of RAW: find out what it needs, enrich in order, publish, resolve when it is stored.
import { WireError } from "@nightjar/events";
import { GarbageError } from "@nightjar/stage";
import type { Enricher } from "./enricher.ts";
import type { FactsWriter } from "./facts.ts";
import type { Output } from "./output.ts";

/** Resolves when the bus has stored the output. */
export type Publish = (output: Output) => Promise<void>;

/**
 * How long a batch waits from its arrival for what its events need and is not known yet. What comes later is with the
 * process from then on.
 */
export const CONTEXT_WAIT_MS_MAX = 100;

/** How often batches waited, and how often that was not long enough. */
export interface WaitCounts {
  batchesWaited: number;
  batchesWaitedInVain: number;
}

export interface HandlerOptions {
  publish: Publish;
  /** Is given what only those want who listen; nobody waits for it. */
  tell?: (output: Output) => void;
  /** Takes the facts; a batch is done when these are stored, too. */
  facts?: FactsWriter;
  counts?: WaitCounts;
  waitMsMax?: number;
}

/**
 * The handler of RAW. Batches are taken into the tree in the order of the calls: at once, or when what one needs is
 * known. All begin at once to find out, whose turn it is or not. It resolves when every output of the batch is stored;
 * a batch that came before resolves when its first output is stored.
 */
export function createHandler(enricher: Enricher, options: HandlerOptions): (bytes: Uint8Array) => Promise<void> {
  const { publish, tell = () => undefined, facts: writer, waitMsMax = CONTEXT_WAIT_MS_MAX } = options;
  const { counts = { batchesWaited: 0, batchesWaitedInVain: 0 } } = options;
  /** Batches that are taken in and not stored yet, by their range. */
  const underWay = new Map<string, Promise<unknown>>();
  /** The turn of the last batch that waits; undefined when none does. */
  let last: Promise<unknown> | undefined;
  return async (bytes) => {
    const batch = asGarbage(() => enricher.scan(bytes));
    const context = enricher.prefetch(batch);
    if (last !== undefined || context !== undefined) {
      const turn = Promise.all([last, context && waitFor(context, waitMsMax, counts)]);
      last = turn;
      await turn;
      if (last === turn) last = undefined;
    }
    const { id, outputs, tapped, facts, late } = asGarbage(() => enricher.take(batch));
    if (outputs === "repeated") {
      // Cut otherwise than the first time it is part of others: all that was begun before it is enough.
      await (underWay.get(id) ?? Promise.all(underWay.values()));
      return;
    }
    const stored = Promise.all([...outputs.map(publish), writer?.add(facts)]);
    if (late && batch.found && writer) void batch.found.then(() => writer.add(enricher.takeLate(late)));
    tapped.forEach(tell);
    underWay.set(id, stored);
    try {
      await stored;
    } finally {
      underWay.delete(id);
    }
  };
}

async function waitFor(context: Promise<unknown>, milliseconds: number, counts: WaitCounts): Promise<void> {
  counts.batchesWaited++;
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), milliseconds);
  if ((await Promise.race([context, late])) === "late") counts.batchesWaitedInVain++;
  clearTimeout(timer);
}

function asGarbage<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof WireError) throw new GarbageError(error.message, { cause: error });
    throw error;
  }
}
