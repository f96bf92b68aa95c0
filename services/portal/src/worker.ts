// A thread that ends the process when its main thread has hung: PostgreSQL runs there, and a loop in it stops all else.
import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { Watch } from "./watchdog.ts";

const STDERR = 2;

const { beats, intervalMs, stalledMs } = workerData as Watch;
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
parentPort?.postMessage("watching");
let seen = Atomics.load(beats, 0);
for (let quietMs = 0; quietMs < stalledMs; ) {
  Atomics.wait(never, 0, 0, intervalMs);
  const now = Atomics.load(beats, 0);
  quietMs = now === seen ? quietMs + intervalMs : 0;
  seen = now;
}
// process.stderr of a thread goes through the main thread, which hangs.
writeSync(STDERR, "the portal's main thread hangs; the process is ended\n");
process.kill(process.pid, "SIGKILL");
