// Collects facts into messages for FACTS: nobody there is in a hurry, and a message costs more than what is in it.
import { tagOf, varintSize, WIRE_BYTES, writeVarint } from "@nightjar/events";
import { BatchListSchema } from "@nightjar/proto";
import type { Output } from "./output.ts";

const BATCHES_TAG = tagOf(BatchListSchema.field.batches.number, WIRE_BYTES);

/** How long facts wait for others. */
export const FACTS_FLUSH_MS = 1_000;
/** A message that has so much is not added to. */
const FLUSH_BYTES = 256 * 1024;
/** What a list takes beside the batch in it: a tag and a length below 1 MiB. */
export const LIST_BYTES_MAX = 4;

export interface FactsOptions {
  /** Resolves when the bus has stored the message. */
  publish: (bytes: Uint8Array, id: string) => Promise<void>;
  /** So many batches wait at most: each is one of RAW that is not acknowledged meanwhile. */
  batchesMax: number;
  /** A message is at most so large. */
  bytesMax: number;
  flushMs?: number;
}

export class FactsWriter {
  readonly #options: FactsOptions;
  #waiting: Output[] = [];
  #bytes = 0;
  #adds = 0;
  /** Resolves when what waits is stored. */
  #stored = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FactsOptions) {
    this.#options = options;
  }

  /** Resolves when the facts are stored: at once where there are none. */
  add(facts: readonly Output[]): Promise<void> {
    if (facts.length === 0) return Promise.resolve();
    const { batchesMax, bytesMax, flushMs = FACTS_FLUSH_MS } = this.#options;
    const parts: Promise<void>[] = [];
    for (const fact of facts) {
      if (this.#bytes + sizeOf(fact) > bytesMax) this.flush();
      this.#waiting.push(fact);
      this.#bytes += sizeOf(fact);
      parts.push(this.#stored.promise);
    }
    this.#adds++;
    if (this.#adds >= batchesMax || this.#bytes >= FLUSH_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushMs);
    return parts.length === 1 ? (parts[0] as Promise<void>) : Promise.all(parts).then(() => undefined);
  }

  /** Publishes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [first] = this.#waiting;
    if (!first) return;
    const { resolve, reject } = this.#stored;
    // The same batches make the same message, whose id is theirs.
    const id = `${first.id}+${this.#waiting.length - 1}`;
    this.#options.publish(write(this.#waiting, this.#bytes), id).then(resolve, reject);
    this.#waiting = [];
    this.#bytes = this.#adds = 0;
    this.#stored = Promise.withResolvers<void>();
  }
}

function sizeOf({ bytes }: Output): number {
  return varintSize(BATCHES_TAG) + varintSize(bytes.length) + bytes.length;
}

function write(facts: readonly Output[], length: number): Uint8Array {
  const message = new Uint8Array(length);
  let offset = 0;
  for (const { bytes } of facts) {
    offset = writeVarint(message, writeVarint(message, offset, BATCHES_TAG), bytes.length);
    message.set(bytes, offset);
    offset += bytes.length;
  }
  return message;
}
