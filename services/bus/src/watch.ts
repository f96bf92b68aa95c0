// Looks at the streams every second while the server lives: heals durables, makes room, tells what is full.
import type { ConsumerInfo, JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { isDiskFull, pause, readDisk, type Stage, type Stream, type StreamName, streams } from "@nightjar/stage";
import { type Durables, isConsumerMissing } from "./durables.ts";
import { isBug } from "./errors.ts";
import { judge, NO_SUSPICION, type ReaderState, type Suspicion, unaccountedMessages } from "./heal.ts";
import { durableOf, isQueue, provisionStreams } from "./provision.ts";
import { closedWhenDiskFull, GIVES_UP, isNearlyFull, makeRoom } from "./room.ts";

const CHECK_MS = 1_000;
/** Where nothing moved since the last look, and the server is not one of those that lose sight: looking costs CPU. */
const CHECK_IDLE_MS = 3_000;
/** A server that does not answer for this long is started anew. */
const SILENT_MS_MAX = 10_000;
/** A server that has run this long after it ended by itself is no issue any more. */
const STEADY_MS = 60_000;

export type WatchHost = Pick<Stage, "log" | "health" | "counters" | "folder" | "progress">;

export interface WatchOptions {
  /** The streams' largest sizes while the disk has room. */
  sizes: ReadonlyMap<StreamName, number>;
  /** Whether the disk is full as the watch begins, and the streams closed accordingly. */
  diskFull: boolean;
  /** Why the disk is too small from the beginning, if it is. */
  shortage?: string | undefined;
  /** Whether the server is of a version that can stall a queue: it is looked at every second, come what may. */
  faulty: boolean;
  /** Whether the server says that it gave up writing. */
  gaveUp: () => boolean;
}

export class Watch {
  readonly #manager: JetStreamManager;
  readonly #durables: Durables;
  readonly #host: WatchHost;
  readonly #options: WatchOptions;
  #diskFull: boolean;
  #lastSeen = "";
  readonly #suspicions = new Map<string, Suspicion>();

  constructor(manager: JetStreamManager, durables: Durables, host: WatchHost, options: WatchOptions) {
    this.#manager = manager;
    this.#durables = durables;
    this.#host = host;
    this.#options = options;
    this.#diskFull = options.diskFull;
  }

  /** Resolves when `signal` is aborted, or with a reason when the server must be started anew. */
  async run(signal: AbortSignal): Promise<string | undefined> {
    const since = Date.now();
    let answered = since;
    let next = since;
    while (!signal.aborted) {
      this.#host.progress.begin();
      try {
        await this.#checkDisk();
        if (Date.now() >= next) {
          const idle = (await this.#check()) && !this.#options.faulty;
          answered = Date.now();
          next = answered + (idle ? CHECK_IDLE_MS : 0);
        }
      } catch (error) {
        if (isBug(error)) throw error;
        if (signal.aborted) break;
        const silent_ms = Date.now() - answered;
        this.#host.log.warn("cannot look at the streams", { error: error as Error, silent_ms });
        if (silent_ms > SILENT_MS_MAX) return "JetStream does not answer";
      } finally {
        this.#host.progress.done();
      }
      if (this.#options.gaveUp()) return "it gave up writing";
      if (Date.now() - since > STEADY_MS) this.#host.health.resolve("BUS_SERVER_RESTARTED");
      await pause(CHECK_MS, signal);
    }
    return undefined;
  }

  /** One look at everything; true when nothing moved since the last. Rejects when the server does not answer. */
  async #check(): Promise<boolean> {
    const queues = streams.filter(isQueue);
    const revisions = new Map(queues.map((stream) => [stream.name, this.#durables.revision(stream)]));
    const readers = new Map<string, ConsumerInfo | undefined>();
    for (const stream of queues) readers.set(stream.name, await this.#readerOf(stream));
    const infos = new Map((await this.#manager.streams.list().next()).map((info) => [info.config.name, info]));
    for (const stream of queues) {
      const info = infos.get(stream.name);
      const touched = this.#durables.revision(stream) !== revisions.get(stream.name);
      // What the server lost while it ran comes back, or is set aside, when it starts anew.
      if (!info) throw new Error(`the stream ${stream.name} is gone`);
      if (touched) this.#suspicions.delete(stream.name);
      else await this.#checkQueue(stream, info, readers.get(stream.name));
    }
    this.#count(infos, readers);
    await this.#checkRoom(infos);
    const states = [...readers.values()].map((reader) => reader && stateOf(reader));
    const seen = JSON.stringify([[...infos.values()].map(({ state }) => [state.messages, state.last_seq]), states]);
    const idle = seen === this.#lastSeen && [...this.#suspicions.values()].every(({ checks }) => checks === 0);
    this.#lastSeen = seen;
    return idle;
  }

  async #readerOf(stream: Stream): Promise<ConsumerInfo | undefined> {
    try {
      return await this.#manager.consumers.info(stream.name, durableOf(stream));
    } catch (error) {
      if (isConsumerMissing(error)) return undefined;
      throw error;
    }
  }

  async #checkQueue(stream: Stream, info: StreamInfo, reader: ConsumerInfo | undefined): Promise<void> {
    if (!reader) return this.#heal(stream, "it is not there");
    const queue = { messages: info.state.messages, lastSeq: info.state.last_seq };
    const before = stateOf(reader);
    let unaccounted = unaccountedMessages(before, queue, before);
    if (unaccounted > 0) {
      const later = await this.#readerOf(stream);
      if (later) unaccounted = unaccountedMessages(before, queue, stateOf(later));
    }
    const { suspicion, heal } = judge(this.#suspicions.get(stream.name) ?? NO_SUSPICION, before, queue, unaccounted);
    this.#suspicions.set(stream.name, suspicion);
    if (heal) await this.#heal(stream, heal);
  }

  async #heal(stream: Stream, reason: string): Promise<void> {
    this.#suspicions.delete(stream.name);
    this.#host.counters.add("heals");
    this.#host.log.warn("makes a consumer anew", { stream: stream.name, durable: durableOf(stream), reason });
    await this.#durables.anew(stream);
  }

  #count(infos: ReadonlyMap<string, StreamInfo>, readers: ReadonlyMap<string, ConsumerInfo | undefined>): void {
    const { counters } = this.#host;
    for (const { name } of streams) {
      const state = infos.get(name)?.state;
      if (state) counters.set(`${name}_stored_messages`, state.messages);
      if (state) counters.set(`${name}_stored_bytes`, state.bytes);
    }
    for (const { name } of streams.filter(isQueue)) {
      const reader = readers.get(name);
      counters.set(`${name}_pending`, reader?.num_pending ?? 0);
      counters.set(`${name}_unacknowledged`, reader?.num_ack_pending ?? 0);
    }
  }

  async #checkRoom(infos: ReadonlyMap<string, StreamInfo>): Promise<void> {
    // What gives up its oldest is full by rights: its reader tells when what it needs is gone.
    const full = streams.filter(({ name, retention, oldestGo }) => {
      const info = infos.get(name);
      return info && retention !== "log" && !oldestGo && isNearlyFull(info.state.bytes, info.config.max_bytes);
    });
    const { health, counters, log } = this.#host;
    if (full.length === 0) health.resolve("STREAM_FULL");
    else health.raise("STREAM_FULL", `full or nearly: ${full.map(({ name }) => name).join(", ")}`);
    if (!full.some(({ name }) => name === GIVES_UP)) return;
    for (const [subject, messages] of await makeRoom(this.#manager, GIVES_UP)) {
      counters.add("purged_messages", messages);
      log.error("gave up stored detections to make room", { subject, messages });
    }
  }

  async #checkDisk(): Promise<void> {
    const { folder, health } = this.#host;
    const { sizes, shortage } = this.#options;
    const full = isDiskFull(readDisk(folder), this.#diskFull);
    const issue = full ? "the disk of the state folder is full or nearly" : shortage;
    if (issue) health.raise("DISK_FULL", issue);
    else health.resolve("DISK_FULL");
    // While it lasts, what leaves a closed stream makes no room in it either.
    if (full) await provisionStreams(this.#manager, streams, sizes, closedWhenDiskFull(streams));
    else if (this.#diskFull) await provisionStreams(this.#manager, streams, sizes);
    this.#diskFull = full;
  }
}

function stateOf(info: ConsumerInfo): ReaderState {
  return { pending: info.num_pending, ackPending: info.num_ack_pending, deliveredSeq: info.delivered.stream_seq };
}
