// Creates and updates the streams and their durable consumers as the table says; what is right already is left alone.
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { ACK_PENDING_MAX, ACK_WAIT_MS, type Stream, type StreamName } from "@nightjar/stage";

/** How long the server knows message ids; only a help, consumers are idempotent by range. Longer costs memory. */
const DUPLICATE_WINDOW_MS = 30_000;

/** The one reader of a queue or log: the name of its durable. */
export function durableOf(stream: Stream): string {
  const [reader, ...others] = stream.readers;
  if (!reader || others.length > 0) throw new Error(`${stream.name} needs exactly one reader`);
  return reader;
}

export function isQueue(stream: Stream): boolean {
  return stream.retention === "work_queue";
}

/** Whether its reader has a durable consumer; last values are asked for directly. */
export function hasDurable(stream: Stream): boolean {
  return stream.retention !== "last_value";
}

/** A stream's configuration; `bytes` is its largest size. How long a log keeps what it has, its reader says. */
export function streamConfig(stream: Stream, bytes: number) {
  const queue = isQueue(stream);
  return {
    name: stream.name as string,
    subjects: [...stream.subjects],
    retention: queue ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: 1,
    discard: queue && !stream.oldestGo ? DiscardPolicy.New : DiscardPolicy.Old,
    max_bytes: bytes,
    max_msgs_per_subject: hasDurable(stream) ? -1 : 1,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    // Readers of last values ask for them directly, without a consumer.
    allow_direct: !hasDurable(stream),
  } satisfies Partial<StreamConfig>;
}

/** A durable, as the server knows it: a queue's waits for acknowledgements, a log's is read through. */
export function durableConfig(stream: Stream): Partial<ConsumerConfig> {
  const common = {
    durable_name: durableOf(stream),
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
  };
  if (!isQueue(stream)) return { ...common, ack_policy: AckPolicy.None };
  return {
    ...common,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: ACK_PENDING_MAX,
    max_deliver: -1,
  };
}

/** Has a log keep what it holds for so long, and no longer. Rejects as the server refuses. */
export async function keepFor(manager: JetStreamManager, stream: Stream, keepMs: number): Promise<void> {
  const { config } = await manager.streams.info(stream.name);
  const max_age = nanos(keepMs);
  if (config.max_age !== max_age) await manager.streams.update(stream.name, { max_age });
}

/**
 * Makes each stream, or brings it up to date. `bytes` gives their largest sizes; those in `closed` take nothing beyond
 * what they hold. Rejects as the server refuses.
 */
export async function provisionStreams(
  manager: JetStreamManager,
  streams: readonly Stream[],
  bytes: ReadonlyMap<StreamName, number>,
  closed: readonly Stream[] = [],
): Promise<void> {
  const sizeOf = (stream: Stream) => (closed.includes(stream) ? 1 : (bytes.get(stream.name) ?? 1));
  const known = new Map((await manager.streams.list().next()).map((info) => [info.config.name, info]));
  const changes = streams.map((stream) => planStream(stream, sizeOf(stream), known.get(stream.name)));
  // What shrinks goes first: reservations must fit the store at every moment.
  for (const { config, info } of changes.sort((a, b) => a.growth - b.growth)) {
    if (!info) await manager.streams.add(config);
    else if (differs(config, info.config)) await manager.streams.update(config.name, config);
  }
}

function planStream(stream: Stream, bytes: number, info: StreamInfo | undefined) {
  // A limit below what is stored would delete messages, "discard: new" or not.
  const config = streamConfig(stream, Math.max(bytes, info?.state.bytes ?? 0));
  return { config, info, growth: config.max_bytes - (info?.config.max_bytes ?? 0) };
}

function differs(wanted: object, actual: object): boolean {
  const has = actual as Record<string, unknown>;
  return Object.entries(wanted).some(([key, value]) => JSON.stringify(value) !== JSON.stringify(has[key]));
}
