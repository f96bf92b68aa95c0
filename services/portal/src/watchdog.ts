// Ends this process when its main thread no longer turns, so that whoever supervises it starts it again.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { moduleBeside } from "@nightjar/stage";

/** What the watching thread is given. */
export interface Watch {
  /** Counts up while the main thread turns. */
  beats: Int32Array;
  intervalMs: number;
  stalledMs: number;
}

const BEATS_PER_LOOK = 2;
const WORKER_YOUNG_MB = 1;

/** Resolves when the thread watches. It goes on as long as the process does, and does not keep it alive. */
export async function startWatchdog(intervalMs: number, stalledMs: number): Promise<void> {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setInterval(() => Atomics.add(beats, 0, 1), intervalMs / BEATS_PER_LOOK).unref();
  const watch: Watch = { beats, intervalMs, stalledMs };
  const worker = new Worker(moduleBeside(import.meta.url, "worker"), {
    workerData: watch,
    // The options of the process are not for it.
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_MB },
  });
  await once(worker, "message");
  worker.unref();
}
