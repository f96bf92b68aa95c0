// When the enricher is asked what runs: all at the start and now and then, who began to run something a moment later.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Running, RunningRequestSchema, RunningSchema } from "@nightjar/proto";

/** How often it is looked whether there is something to ask. */
export const TICK_MS = 250;
/** A process has loaded most of what it needs so long after it began, and many have ended. */
const LOOK_AFTER_MS = 500;
/** How often who lives is asked. */
const LIVING_MS = 5_000;
/** What is not known yet of a process's files is asked for again after this, twice as long each time. */
const AGAIN_MS = 1_000;
const TRIES_MAX = 6;
/** Processes that one question names, and that may wait; what is beyond is seen when all are looked at. */
const PIDS_MAX = 256;
const WAITING_MAX = 4_096;

export interface WatchOptions {
  /** Gives the parts of the answer to an encoded RunningRequest; rejects where nobody answers. */
  ask: (question: Uint8Array) => AsyncIterable<Uint8Array>;
  /** Takes a part in, and says of which processes not all is known yet. */
  take: (part: Running) => number[];
  /** The last part of an answer: who lives. `askedAtMs` is on the clock below. */
  finished: (last: Running, askedAtMs: number) => void;
  failed: (error: unknown) => void;
  /** How often all are looked at. */
  sweepMs: number;
  /** Milliseconds that only grow. */
  now: () => number;
}

interface Waiting {
  dueMs: number;
  tries: number;
}

export class Watch {
  /** Processes that were to be looked at and were too many. */
  skipped = 0;
  readonly #options: WatchOptions;
  readonly #waiting = new Map<number, Waiting>();
  #sweepDueMs = 0;
  #livingDueMs = 0;
  #pausedUntilMs = 0;
  #isAsking = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** It is looked at soon. */
  began(pid: number): void {
    if (this.#waiting.has(pid)) return;
    if (this.#waiting.size >= WAITING_MAX) this.skipped++;
    else this.#waiting.set(pid, { dueMs: this.#options.now() + LOOK_AFTER_MS, tries: 0 });
  }

  /** Asks what is due; called often. Resolves when the answer is taken in; never rejects. */
  async tick(): Promise<void> {
    const now = this.#options.now();
    if (this.#isAsking || now < this.#pausedUntilMs) return;
    const all = now >= this.#sweepDueMs;
    const due = all ? [] : [...this.#waiting].filter(([, { dueMs }]) => dueMs <= now).slice(0, PIDS_MAX);
    if (!all && due.length === 0 && now < this.#livingDueMs) return;
    this.#isAsking = true;
    try {
      await this.#ask(all, new Map(due), now);
    } catch (error) {
      // The enricher is not there yet, or ended in the middle.
      this.#pausedUntilMs = now + AGAIN_MS;
      this.#options.failed(error);
    } finally {
      this.#isAsking = false;
    }
  }

  async #ask(all: boolean, due: ReadonlyMap<number, Waiting>, now: number): Promise<void> {
    const { ask, take, finished, sweepMs } = this.#options;
    const question = create(RunningRequestSchema, { pids: [...due.keys()], all });
    const incomplete = new Set<number>();
    let last: Running | undefined;
    for await (const bytes of ask(toBinary(RunningRequestSchema, question))) {
      last = fromBinary(RunningSchema, bytes);
      for (const pid of take(last)) incomplete.add(pid);
    }
    // An answer that was cut off, as by the end of the enricher.
    if (!last || (last.livingPids.length === 0 && last.batch.length > 0)) throw new Error("the answer has no end");
    for (const pid of due.keys()) this.#waiting.delete(pid);
    if (all) this.#waiting.clear();
    for (const pid of incomplete) this.#again(pid, due.get(pid)?.tries ?? 0);
    this.#livingDueMs = now + LIVING_MS;
    if (all) this.#sweepDueMs = now + sweepMs;
    else if (last.filesChanged) this.#sweepDueMs = 0;
    finished(last, now);
  }

  #again(pid: number, tries: number): void {
    if (tries >= TRIES_MAX) return;
    this.#waiting.set(pid, { dueMs: this.#options.now() + AGAIN_MS * 2 ** tries, tries: tries + 1 });
  }
}
