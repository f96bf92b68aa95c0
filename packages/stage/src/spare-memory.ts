// Gives back to the host what V8 keeps after a storm: emptied pages of its heap stay in a pool until a last resort.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_INTERVAL_MS = 15_000;
/** Who takes less of a processor between two looks has time for a collection, which stops it for some 0.1 s. */
const QUIET_CPU_PART = 0.05;
/** What is kept beyond the heap and its buffers without a collection. Node itself takes some 10 MiB of it. */
const KEPT_BYTES_MAX = 48 * 1024 * 1024;
const BYTES_PER_KIB = 1024;
const US_PER_MS = 1_000;

/** What is looked at, and what can be done; the process itself, or a test's own. */
export interface MemoryWorld {
  /** Memory of this process that is no file's, in bytes. */
  anonymousBytes(): number;
  /** Of it, the heap and the buffers that belong to it. */
  heapBytes(): number;
  /** Processor time so far. */
  cpuMs(): number;
  clock(): number;
  /** Resolves when all that is not needed is given back. */
  collect(): Promise<void>;
}

/** Looks now and then, until `signal` is aborted. */
export function startSparingMemory(signal: AbortSignal): void {
  const spare = new SpareMemory(thisProcess());
  const timer = setInterval(() => void spare.look(), LOOK_INTERVAL_MS).unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

export class SpareMemory {
  readonly #world: MemoryWorld;
  #lookedAt: number;
  #cpuMs: number;
  /** What the last collection left: a library's own memory, which another one would not give back either. */
  #left = 0;

  constructor(world: MemoryWorld) {
    this.#world = world;
    this.#lookedAt = world.clock();
    this.#cpuMs = world.cpuMs();
  }

  /** Collects where much is kept and nothing else is to be done. */
  async look(): Promise<void> {
    const world = this.#world;
    const [now, cpuMs] = [world.clock(), world.cpuMs()];
    const isQuiet = cpuMs - this.#cpuMs < (now - this.#lookedAt) * QUIET_CPU_PART;
    [this.#lookedAt, this.#cpuMs] = [now, cpuMs];
    this.#left = Math.min(this.#left, this.#kept());
    if (!isQuiet || this.#kept() < this.#left + KEPT_BYTES_MAX) return;
    await world.collect();
    this.#left = this.#kept();
    // The collection's own time is none of the stage's.
    [this.#lookedAt, this.#cpuMs] = [world.clock(), world.cpuMs()];
  }

  #kept(): number {
    return Math.max(0, this.#world.anonymousBytes() - this.#world.heapBytes());
  }
}

export function thisProcess(): MemoryWorld {
  return {
    anonymousBytes: () => {
      const kib = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
      return Number(kib ?? 0) * BYTES_PER_KIB;
    },
    heapBytes: () => {
      const { heapTotal, external } = process.memoryUsage();
      return heapTotal + external;
    },
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / US_PER_MS;
    },
    clock: () => performance.now(),
    collect: async () => {
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as NodeJS.GCFunction;
      await collect({ type: "major", execution: "async", flavor: "last-resort" });
    },
  };
}
