// How much waits in each work queue: what its reader has not acknowledged.
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { streams } from "@nightjar/stage";

const ASK_TIMEOUT_MS = 1_000;

export interface Queue {
  stream: string;
  /** The stage that reads it. */
  reader: string;
  /** Messages, which are batches, not events. */
  messages: number;
  bytes: number;
}

/** Streams that cannot be asked for now are left out. */
export async function readQueues(connection: NatsConnection): Promise<Queue[]> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: ASK_TIMEOUT_MS });
  const asked = streams
    .filter(({ retention }) => retention === "work_queue")
    .map(async ({ name, readers }): Promise<Queue[]> => {
      try {
        const { state } = await manager.streams.info(name);
        return [{ stream: name, reader: readers[0] ?? "", messages: state.messages, bytes: state.bytes }];
      } catch {
        return [];
      }
    });
  return (await Promise.all(asked)).flat();
}

/** All streams and their consumers, as the server tells them. */
export async function listStreams(manager: JetStreamManager): Promise<object[]> {
  const listed: object[] = [];
  for await (const { config, state } of manager.streams.list()) {
    const consumers: object[] = [];
    for await (const consumer of manager.consumers.list(config.name)) consumers.push(consumer);
    listed.push({ config, state, consumers });
  }
  return listed;
}
