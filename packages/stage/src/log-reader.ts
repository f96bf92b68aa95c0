// Reads a log stream from its beginning to its end, with the durable that the bus has just made anew.
import type { JetStreamClient } from "@nats-io/jetstream";
import type { StreamName } from "./streams.ts";

const FETCH_MESSAGES = 256;
const FETCH_EXPIRES_MS = 2_000;

/** The messages of the log, in order; rejects where the server goes away or gives fewer than it said it has. */
export async function readToEnd(js: JetStreamClient, stream: StreamName, durable: string): Promise<Uint8Array[]> {
  const consumer = await js.consumers.get(stream, durable);
  const { num_pending } = await consumer.info();
  const messages: Uint8Array[] = [];
  while (messages.length < num_pending) {
    const max_messages = Math.min(FETCH_MESSAGES, num_pending - messages.length);
    const before = messages.length;
    let pending = num_pending;
    for await (const message of await consumer.fetch({ max_messages, expires: FETCH_EXPIRES_MS })) {
      // Several messages share one buffer: a view would keep all of it.
      messages.push(Uint8Array.from(message.data));
      pending = message.info.pending;
    }
    // The oldest may have aged away meanwhile: then there are fewer than were promised, and none is left.
    if (pending === 0) break;
    if (messages.length === before) throw new Error(`${stream} gives no more messages, of ${num_pending}`);
  }
  return messages;
}
