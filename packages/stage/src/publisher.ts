// Publishes to a stream until the server has stored it: in order, several at a time, again after every failure.
import { JetStreamApiError, type JetStreamClient, type JetStreamPublishOptions } from "@nats-io/jetstream";
import type { HealthCodeName } from "./codes.ts";
import { pause } from "./connection.ts";
import type { Health } from "./health.ts";
import { describeError } from "./log.ts";
import type { Progress } from "./progress.ts";
import type { Stage } from "./stage.ts";

const PUBACK_TIMEOUT_MS = 5_000;
const RETRY_WAIT_MIN_MS = 20;
const RETRY_WAIT_MAX_MS = 1_000;
const IN_FLIGHT_MAX = 64;

interface Entry {
  /** Its place in the order, counted from the stage's start. */
  number: number;
  subject: string;
  bytes: Uint8Array;
  messageId: string;
  stored: () => void;
}

/** The server's JetStream error codes for "no room" (nats-server, server/errors.json), and the issue each one is. */
const FULL_CODES: ReadonlyMap<number, HealthCodeName> = new Map([
  [10077, "STREAM_FULL"],
  [10122, "STREAM_FULL"],
  [10023, "DISK_FULL"],
  [10047, "DISK_FULL"],
  [10028, "DISK_FULL"],
]);

/** "wrong last msg ID": the message before was refused, so this one has to wait for it; no issue of its own. */
const OUT_OF_ORDER_CODE = 10070;

/**
 * One stage's way out to the bus. After a failure nothing new is sent until all that is under way has been answered;
 * what failed is then sent again first, with the same message id. Each message names the one before it, so that the
 * server refuses what would overtake a refused one: a small message may fit where a large one did not. So the order
 * holds, and a copy that the server had stored before it died is recognised by its id or, later, by its range.
 */
export class Publisher {
  readonly #js: JetStreamClient;
  readonly #health: Health;
  readonly #signal: AbortSignal;
  readonly #progress: Progress;
  readonly #queue: Entry[] = [];
  #failed: Entry[] = [];
  #count = 0;
  #inFlight = 0;
  #recovering = false;
  #waitMs = RETRY_WAIT_MIN_MS;
  /** The message sent before; undefined where all before is stored and the server need not know which was the last. */
  #previousId: string | undefined;

  constructor(js: JetStreamClient, { health, signal, progress }: Pick<Stage, "health" | "signal" | "progress">) {
    this.#js = js;
    this.#health = health;
    this.#signal = signal;
    this.#progress = progress;
  }

  /** Resolves when the server has stored the message; never rejects. */
  publish(subject: string, bytes: Uint8Array, messageId: string): Promise<void> {
    return new Promise((stored) => {
      this.#queue.push({ number: this.#count++, subject, bytes, messageId, stored });
      this.#pump();
    });
  }

  /** How many messages have not been stored yet. */
  get pending(): number {
    return this.#queue.length + this.#failed.length + this.#inFlight;
  }

  /** Tells that the connection broke: what was under way is taken as failed at once, not after its time-out. */
  disconnected(): void {
    for (const give of this.#giveUps) give();
    this.#giveUps.clear();
  }

  readonly #giveUps = new Set<() => void>();

  #pump(): void {
    while (!this.#recovering && this.#inFlight < IN_FLIGHT_MAX) {
      const entry = this.#queue.shift();
      if (!entry) return;
      void this.#send(entry);
    }
  }

  async #send(entry: Entry): Promise<void> {
    // Others may write to the stream, too: what they put behind what is stored must not count as overtaking it.
    if (this.#inFlight === 0) this.#previousId = undefined;
    this.#inFlight++;
    let giveUp = () => {};
    const broken = new Promise<never>((_, reject) => {
      giveUp = () => reject(new Error("the connection to the bus broke"));
    });
    this.#giveUps.add(giveUp);
    try {
      const options: Partial<JetStreamPublishOptions> = { msgID: entry.messageId, timeout: PUBACK_TIMEOUT_MS };
      if (this.#previousId !== undefined) options.expect = { lastMsgID: this.#previousId };
      this.#previousId = entry.messageId;
      await Promise.race([this.#js.publish(entry.subject, entry.bytes, options), broken]);
      entry.stored();
      this.#progress.advance();
      this.#succeeded();
    } catch (error) {
      this.#failed.push(entry);
      this.#recovering = true;
      this.#report(error);
    } finally {
      this.#giveUps.delete(giveUp);
      this.#inFlight--;
    }
    if (this.#recovering && this.#inFlight === 0) await this.#recover();
    else this.#pump();
  }

  async #recover(): Promise<void> {
    // Failures come in any order: a refusal at once, silence after a time-out.
    const again = this.#failed.sort((left, right) => left.number - right.number);
    this.#failed = [];
    await pause(this.#waitMs, this.#signal);
    // That others do not take it yet is no hang of this stage.
    this.#progress.advance();
    this.#waitMs = Math.min(this.#waitMs * 2, RETRY_WAIT_MAX_MS);
    if (this.#signal.aborted) return;
    this.#previousId = undefined;
    this.#queue.unshift(...again);
    this.#recovering = false;
    this.#pump();
  }

  #succeeded(): void {
    if (this.#waitMs === RETRY_WAIT_MIN_MS) return;
    this.#waitMs = RETRY_WAIT_MIN_MS;
    for (const code of new Set(FULL_CODES.values())) this.#health.resolve(code);
    this.#health.resolve("BUS_REFUSED");
    this.#health.resolve("BUS_UNREACHABLE");
  }

  #report(error: unknown): void {
    if (error instanceof JetStreamApiError && error.code === OUT_OF_ORDER_CODE) return;
    if (error instanceof JetStreamApiError) {
      this.#health.raise(FULL_CODES.get(error.code) ?? "BUS_REFUSED", `the bus refused a message: ${error.message}`);
    } else if (this.#waitMs >= RETRY_WAIT_MAX_MS) {
      this.#health.raise("BUS_UNREACHABLE", `the bus does not answer: ${describeError(error)}`);
    }
  }
}
