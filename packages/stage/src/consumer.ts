// Reads a work queue: in order, acknowledged only when what was made of a message is safe.
import type { ConsumerMessages, JetStreamClient, JsMsg } from "@nats-io/jetstream";
import { pause } from "./connection.ts";
import type { Counters } from "./counters.ts";
import { GarbageError, type GarbageStore } from "./garbage.ts";
import type { Health } from "./health.ts";
import { describeError, type Logger } from "./log.ts";
import type { Progress } from "./progress.ts";
import { ACK_PENDING_MAX, type StreamName } from "./streams.ts";

const CONSUMER_RETRY_MS = 100;
const PULL_EXPIRES_MS = 10_000;
const IDLE_HEARTBEAT_MS = 1_000;
const SETTLE_MS_MAX = 2_000;
const SETTLE_LOOK_MS = 10;

export interface MessageInfo {
  subject: string;
  /** The server has given it before. */
  redelivered: boolean;
  /** Its number in the stream: in a queue whose oldest go, what is missing between two is what went. */
  sequence: number;
}

/**
 * Called in the order of the stream without waiting for the one before. Resolves when the output is safe; rejects with
 * a GarbageError when the bytes are none of ours. Any other error is a bug and ends the process.
 */
export type MessageHandler = (bytes: Uint8Array, info: MessageInfo) => Promise<void>;

export interface ConsumerOptions {
  js: JetStreamClient;
  stream: StreamName;
  durable: string;
  handle: MessageHandler;
  /** At most this many messages are with the handler at once. */
  inFlightMax: number;
  /** Has the bus make the durable anew; resolves when it has. */
  attach: () => Promise<void>;
  /** Told what is with the handler. */
  progress: Progress;
  signal: AbortSignal;
  log: Logger;
  health: Health;
  counters: Counters;
  garbage: GarbageStore;
  /** Ends the process: the handler has a bug. */
  crash: (error: unknown) => void;
  /** A message that had crashed the stage is out of the way. */
  cured: () => void;
}

export class StreamConsumer {
  readonly #options: ConsumerOptions;
  readonly #slots: (() => void)[] = [];
  #inFlight = 0;
  #messages: ConsumerMessages | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  /** Begins anew: the bus makes the durable again, so that what is not acknowledged comes first. */
  restart(): void {
    this.#messages?.stop();
  }

  /** Resolves when the signal is aborted and every handler has settled, or had its time to. */
  async run(): Promise<void> {
    const { signal, log, stream, durable } = this.#options;
    signal.addEventListener("abort", () => this.#messages?.stop(), { once: true });
    while (!signal.aborted) {
      try {
        await this.#options.attach();
        await this.#read();
      } catch (error) {
        log.debug("cannot read the stream, trying again", { stream, durable, error: error as Error });
      }
      await pause(CONSUMER_RETRY_MS, signal);
    }
    // What does not settle in time, because the bus is away, is not acknowledged and comes again.
    const end = performance.now() + SETTLE_MS_MAX;
    while (this.#inFlight > 0 && performance.now() < end) await pause(SETTLE_LOOK_MS);
  }

  async #read(): Promise<void> {
    const { js, stream, durable, inFlightMax, signal } = this.#options;
    const consumer = await js.consumers.get(stream, durable);
    const messages = await consumer.consume({
      max_messages: Math.min(inFlightMax * 2, ACK_PENDING_MAX),
      expires: PULL_EXPIRES_MS,
      idle_heartbeat: IDLE_HEARTBEAT_MS,
      abort_on_missing_resource: true,
    });
    if (signal.aborted) return messages.stop();
    this.#messages = messages;
    void this.#watch(messages);
    let expected = 1;
    for await (const message of messages) {
      // A durable just made gives 1, 2, 3 and so on. After a restart of the server a pull of the reader before can take
      // some of them, which would come again only after ACK_WAIT_MS: have the durable made anew instead.
      if (signal.aborted || message.info.deliverySequence !== expected++) break;
      while (this.#inFlight >= inFlightMax) await new Promise<void>((resolve) => this.#slots.push(resolve));
      void this.#handle(message);
    }
  }

  /** A server that stopped giving heartbeats has lost the consumer or died: begin anew. */
  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const status of messages.status()) {
      if (status.type === "heartbeats_missed" || status.type === "consumer_deleted") messages.stop();
    }
  }

  async #handle(message: JsMsg): Promise<void> {
    this.#inFlight++;
    const { handle, crash, garbage, counters, stream, progress } = this.#options;
    progress.begin();
    try {
      counters.add(`${stream}_messages`);
      if (garbage.isPoison(message.data)) {
        this.#keepAside(message, "POISON", "it crashed the stage");
        this.#options.cured();
      } else await handle(message.data, infoOf(message));
      message.ack();
    } catch (error) {
      if (error instanceof GarbageError) {
        this.#keepAside(message, "GARBAGE", describeError(error));
        message.ack();
      } else {
        garbage.noteCrash(message.data);
        crash(error);
      }
    } finally {
      this.#inFlight--;
      progress.done();
      this.#slots.shift()?.();
    }
  }

  #keepAside(message: JsMsg, code: "GARBAGE" | "POISON", why: string): void {
    const { counters, garbage, health, stream } = this.#options;
    counters.add("garbage");
    let kept: string;
    try {
      kept = garbage.keep(message.data);
    } catch (error) {
      kept = `nowhere (${describeError(error)})`;
    }
    health.raise(code, `a message of ${stream} on ${message.subject} was passed over: ${why}; it is kept in ${kept}`);
  }
}

function infoOf({ subject, info: { redelivered, streamSequence: sequence } }: JsMsg): MessageInfo {
  return { subject, redelivered, sequence };
}
