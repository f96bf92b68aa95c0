// Loads and unloads the probe again and again, and says what that leaves behind.
import { readdirSync } from "node:fs";
import { openProbe } from "@nightjar/native-probe";
import { eventTypes } from "@nightjar/proto";

/** The first cycles fill caches: what is counted begins after them. */
const WARM_UP = 20;
const RING_BYTES = 64 * 1024;

const cycles = Number(process.argv[2]);
const wanted = eventTypes.filter(({ name }) => name === "exec").map(({ id }) => id);

function held() {
  globalThis.gc?.();
  return {
    residentBytes: process.memoryUsage.rss(),
    descriptors: readdirSync("/proc/self/fd").length,
    threads: readdirSync("/proc/self/task").length,
  };
}

async function cycle(): Promise<void> {
  const probe = openProbe({
    ringBytes: RING_BYTES,
    wanted,
    types: wanted,
    onBatch: (_bytes, _first, next) => probe.release(next),
  });
  await probe.stop({ timeoutMs: 1_000 });
}

for (let count = 0; count < WARM_UP; count++) await cycle();
const before = held();
for (let count = 0; count < cycles; count++) await cycle();
process.stdout.write(`${JSON.stringify({ cycles, before, after: held() })}\n`);
