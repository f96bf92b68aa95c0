// The pool of threads that evaluate rules.
import { moduleBeside } from "@nightjar/stage";
import { Piscina } from "piscina";
import type { MatchResult, RulesDescription, Task, WorkerData } from "./worker.ts";

const YOUNG_GENERATION_MB = 4;

/** Each thread compiles the rules for itself when it starts. */
export class Pool {
  readonly #piscina: Piscina;

  constructor(workerData: WorkerData, threads: number) {
    this.#piscina = new Piscina({
      filename: moduleBeside(import.meta.url, "worker"),
      workerData,
      minThreads: threads,
      maxThreads: threads,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
  }

  /** Rejects where the threads do not start. */
  async describe(): Promise<RulesDescription> {
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    // A thread that ends without a task tells it here.
    this.#piscina.once("error", fail);
    try {
      return await Promise.race([this.#piscina.run({ kind: "describe" } satisfies Task), failed]);
    } finally {
      this.#piscina.off("error", fail);
    }
  }

  /**
   * Evaluates the events of a batch but those whose indices are `done`. `bytes` stay the caller's: several of the bus's
   * messages share one buffer, so they are copied before they move.
   */
  match(bytes: Uint8Array, done: readonly number[]): Promise<MatchResult> {
    const copy = Uint8Array.from(bytes);
    return this.#piscina.run({ kind: "match", bytes: copy, done } satisfies Task, { transferList: [copy.buffer] });
  }

  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}
