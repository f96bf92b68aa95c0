// An output at work: its own queue on disk, its own sender, its own figures. What it waits for nobody else waits for.
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { type OutputStatus, OutputStatusSchema } from "@nightjar/proto";
import { Backoff, describeError, pause, type Settings, type Stage } from "@nightjar/stage";
import { detectionIn, type Encoded } from "../encoded.ts";
import { DISK_RETRY_MS, STALE_SWEEP_MS } from "../limits.ts";
import { Outbox } from "../outbox.ts";
import { crash } from "../retries.ts";
import { steadyClock } from "../steady-clock.ts";
import { runDelivery } from "./deliver.ts";
import type { Output, OutputFailure } from "./output.ts";

const MS_PER_H = 60 * 60 * 1_000;

/** What an output needs of its stage. */
export type OutputStage = Pick<Stage, "folder" | "signal" | "log" | "onStop"> & {
  settings: Pick<Settings, "outputs" | "uplink">;
};

export interface OutputEvents {
  /** Told when an output begins to fail or to lose, with why, and with undefined when that is over. */
  failing: (name: string, why: string | undefined) => void;
  losing: (name: string, why: string | undefined) => void;
}

export class RunningOutput {
  readonly output: Output;
  readonly #stage: OutputStage;
  readonly #events: OutputEvents;
  readonly #status: OutputStatus;
  readonly #clock: () => number;
  #queue!: Outbox;

  private constructor(stage: OutputStage, output: Output, events: OutputEvents) {
    this.#stage = stage;
    this.output = output;
    this.#events = events;
    this.#clock = steadyClock(stage.folder);
    const { name, format, target } = output;
    this.#status = create(OutputStatusSchema, { name, format, target });
  }

  /** Opens the queue with what an earlier process left there, and begins to send. */
  static async start(stage: OutputStage, output: Output, events: OutputEvents): Promise<RunningOutput> {
    const running = new RunningOutput(stage, output, events);
    running.#queue = await running.#open();
    running.#send();
    running.#sweep();
    return running;
  }

  get status(): OutputStatus {
    this.#status.waiting = BigInt(this.#queue.count);
    this.#status.waitingBytes = BigInt(this.#queue.bytes);
    return this.#status;
  }

  /** Resolves when the detections are on the disk; until the disk takes them, it is tried again. */
  async keep(detections: readonly Encoded[]): Promise<void> {
    for (;;) {
      try {
        return await this.#queue.add(detections);
      } catch (error) {
        this.#events.failing(this.output.name, `its queue cannot be written: ${describeError(error)}`);
        await pause(DISK_RETRY_MS);
      }
    }
  }

  #open(): Promise<Outbox> {
    const { folder, settings, log } = this.#stage;
    const { name } = this.output;
    return Outbox.open(join(folder, "outputs", name), {
      bytesMax: settings.outputs.queue_bytes,
      clock: this.#clock,
      evicted: (count) => {
        this.#status.evicted += BigInt(count);
        this.#events.losing(name, "its queue is full; detections of the lowest severity are deleted");
      },
      broken: (movedTo, error) => {
        this.#events.losing(name, `its queue could not be read and was moved to ${movedTo}`);
        log.error("the queue of an output cannot be read; what was in it is not sent", {
          output: name,
          movedTo,
          error,
        });
      },
    });
  }

  #send(): void {
    const { settings, signal, log, onStop } = this.#stage;
    const { retry_base_ms: baseMs, retry_max_ms: maxMs } = settings.outputs;
    const { name } = this.output;
    const sending = runDelivery(
      {
        queue: this.#queue,
        output: this.output,
        // Nothing tells when a receiver is back, so no wait is longer than the settings allow.
        backoff: new Backoff({
          ...{ baseMs, maxMs, jitter: settings.uplink.retry_jitter },
          ...{ fastWindowMs: Number.POSITIVE_INFINITY, slowIntervalMs: maxMs },
        }),
        wait: (ms) => pause(ms, signal),
        sent: (count) => this.#sent(count),
        failed: (failure) => this.#failed(failure),
        leftOut: ({ count, why }) => {
          this.#status.refused += BigInt(count);
          this.#events.losing(name, `its receiver left out ${count} detections: ${why}`);
          log.error("an output left out detections", { output: name, resp: why, count });
        },
        refused: (entry, why) => {
          const { rule } = detectionIn(entry);
          this.#status.refused += 1n;
          this.#events.losing(name, `its receiver refused a detection of "${rule}": ${why}`);
          log.error("an output refused a detection; it is kept in the queue's part for refused ones", {
            ...{ output: name, resp: why, detection: entry.id, rule },
          });
        },
      },
      signal,
    );
    sending.catch((error) => crash(error));
    onStop.call(this.#stage, async () => {
      await sending;
      await this.#queue.close();
    });
  }

  #sent(count: number): void {
    this.#status.sent += BigInt(count);
    this.#status.lastSent = timestampNow();
    if (this.#status.failure !== "") {
      this.#status.failure = "";
      delete this.#status.failingSince;
      this.#stage.log.info("the output delivers again", { output: this.output.name });
    }
    this.#events.failing(this.output.name, undefined);
    this.#events.losing(this.output.name, undefined);
  }

  #failed({ message }: OutputFailure): void {
    if (this.#status.failure !== message) {
      this.#stage.log.error("an output does not take detections", { output: this.output.name, resp: message });
    }
    this.#status.failingSince ??= timestampNow();
    this.#status.failure = message;
    this.#events.failing(this.output.name, message);
  }

  #sweep(): void {
    const { settings, log, onStop } = this.#stage;
    const hours = settings.outputs.stale_after_h;
    const { name } = this.output;
    const sweep = async () => {
      const stale = await this.#queue.deleteStoredBefore(this.#clock() - hours * MS_PER_H);
      if (stale === 0) return;
      this.#status.stale += BigInt(stale);
      this.#events.losing(name, `${stale} detections waited ${hours} hours for it and were deleted`);
    };
    const run = () => void sweep().catch((error) => log.error("the queue cannot be looked through", { name, error }));
    const timer = setInterval(run, STALE_SWEEP_MS);
    run();
    onStop.call(this.#stage, () => clearInterval(timer));
  }
}
