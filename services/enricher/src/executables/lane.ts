// One thread and what waits for it. A task that does not come back, say from a file system that never answers, costs
// its thread; another one takes its place, a few times.
import { Piscina } from "piscina";
import type { Task, Tasks, ThreadData } from "./tasks.ts";

/** Threads that may be lost to file systems that do not answer; then nothing is read any more. */
export const STUCK_THREADS_MAX = 4;
/** Tasks that may wait; what comes then is refused. */
export const TASKS_WAITING_MAX = 8_192;
const YOUNG_GENERATION_MB = 4;

/** What became of a task: its answer, or that it was refused or given up. */
export type Outcome<Answer> = { answer: Answer } | { failed: "busy" | "no_answer" };

export class Lane {
  /** Tasks that were given up, and refused, since the lane began. */
  readonly counts = { stuck: 0, refused: 0 };
  readonly #pool: Piscina;
  readonly #timeoutMs: number;
  #waiting: (() => void)[] = [];
  #first = 0;
  #isBusy = false;
  /** Threads that were given up and have not ended. */
  #lost = 0;
  #isClosed = false;

  /** `thread` is the path of the module that runs in it. */
  constructor(thread: string, workerData: ThreadData, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#pool = new Piscina({
      filename: thread,
      workerData,
      minThreads: 1,
      maxThreads: 1,
      // Descriptors go from one thread to another.
      trackUnmanagedFds: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
  }

  /** Tasks in the order they came, one at a time. Rejects only where the thread does not start, or has a bug. */
  async run<Name extends keyof Tasks>(name: Name, ask: Tasks[Name]["ask"]): Promise<Outcome<Tasks[Name]["answer"]>> {
    const isLost = this.#isClosed || this.#lost >= STUCK_THREADS_MAX;
    if (isLost || this.#waiting.length - this.#first >= TASKS_WAITING_MAX) {
      this.counts.refused++;
      return { failed: isLost ? "no_answer" : "busy" };
    }
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isBusy = true;
    if (this.#isClosed) {
      this.#next();
      return { failed: "no_answer" };
    }
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const [thread] = this.#pool.threads;
    try {
      return { answer: await this.#pool.run({ name, ask } as Task, { signal }) };
    } catch (error) {
      // What was under way ends with the thread.
      if (this.#isClosed) return { failed: "no_answer" };
      if (!signal.aborted) throw error;
      this.counts.stuck++;
      this.#lost++;
      thread?.once("exit", () => this.#lost--);
      return { failed: "no_answer" };
    } finally {
      this.#next();
    }
  }

  /** Gives up what is under way or waits; a thread that does not end is left to the process's end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.destroy();
  }

  #next(): void {
    if (this.#first >= TASKS_WAITING_MAX) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    const next = this.#waiting[this.#first];
    if (next) this.#first++;
    else this.#waiting.length = this.#first = 0;
    this.#isBusy = next !== undefined;
    next?.();
  }
}
