// Asks the enricher for the processes it knows: without them, a recording would not know who was there before it.
import type { NatsConnection } from "@nats-io/transport-node";
import { ASK_PROCESSES_SUBJECT } from "@nightjar/stage";

/** An enricher with 100,000 processes answers within a few seconds. */
const ANSWER_WAIT_MS = 10_000;

/** Encoded batches without events, with the processes in their tables; none when no enricher answers. */
export async function askProcesses(connection: NatsConnection): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  try {
    const answers = await connection.requestMany(ASK_PROCESSES_SUBJECT, new Uint8Array(0), {
      strategy: "sentinel",
      maxWait: ANSWER_WAIT_MS,
    });
    for await (const { data } of answers) if (data.length > 0) parts.push(data);
  } catch {
    // Nobody answers there; who asks says so.
    return [];
  }
  return parts;
}
