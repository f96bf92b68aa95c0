// Reckons how large the ring buffer has to be: what is written to it in the time the collector may be away.
import { totalmem } from "node:os";
import { join } from "node:path";
import type { Probe } from "@nightjar/native-probe";
import { readSmallFile, type Stage, writeFileAtomic } from "@nightjar/stage";

const MIB = 1024 * 1024;
/** Rides out 1.5 s of a stalled reader at 100,000 opens a second. */
const RING_BYTES_LEAST = 8 * MIB;
/** The ring is the host's memory, taken whole when it is made. */
const RING_BYTES_MOST = 64 * MIB;
const MEMORY_SHARE = 64;
const SAMPLE_MS = 1_000;
/** The file is written when the busiest time has become busier by this. */
const GROWTH_NOTED = 1.1;

/** What the busiest time so far wrote, of this ring and of the one before it: a storm is forgotten in time. */
interface Busiest {
  epoch: string;
  bytes_per_s: number;
  bytes_per_s_before: number;
}

/** A power of two that holds `seconds` of it, within the limits. */
export function reckonRingBytes(bytesPerS: number, seconds: number, memoryBytes: number): number {
  const most = Math.min(RING_BYTES_MOST, powerOfTwoBelow(memoryBytes / MEMORY_SHARE));
  let bytes = RING_BYTES_LEAST;
  while (bytes < bytesPerS * seconds && bytes < most) bytes *= 2;
  return bytes;
}

function powerOfTwoBelow(value: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(value, 1)));
}

/** The most that was written within a window of time, in bytes a second. */
export class BusiestTime {
  bytesPerS: number;
  readonly #windowS: number;
  readonly #samples: { atMs: number; written: number }[] = [];

  constructor(windowS: number, bytesPerS = 0) {
    this.#windowS = windowS;
    this.bytesPerS = bytesPerS;
  }

  /** `written` only grows. */
  sample(written: number, atMs: number): void {
    this.#samples.push({ atMs, written });
    while (this.#samples.length > 2 && atMs - (this.#samples[1]?.atMs ?? atMs) >= this.#windowS * 1_000) {
      this.#samples.shift();
    }
    // Less than a window tells nothing of one: a burst of a second would count ten times.
    const bytes = written - (this.#samples[0]?.written ?? written);
    this.bytesPerS = Math.max(this.bytesPerS, bytes / this.#windowS);
  }
}

const fileOf = (stage: Stage) => join(stage.folder, "ring.json");

function readBusiest(stage: Stage): Busiest {
  const none = { epoch: "", bytes_per_s: 0, bytes_per_s_before: 0 };
  try {
    const read = JSON.parse(readSmallFile(fileOf(stage)) ?? "");
    const isOne = typeof read.epoch === "string" && read.bytes_per_s >= 0 && read.bytes_per_s_before >= 0;
    return isOne ? read : none;
  } catch {
    return none;
  }
}

/** What the ring is to be, by the setting or from what was seen before. */
export function wantedRing(stage: Stage): { ringBytes: number; largerRingWillDo: boolean } {
  const { ring_bytes, restart_s } = stage.settings.collector;
  if (ring_bytes !== 0) return { ringBytes: ring_bytes, largerRingWillDo: false };
  const { bytes_per_s, bytes_per_s_before } = readBusiest(stage);
  const ringBytes = reckonRingBytes(Math.max(bytes_per_s, bytes_per_s_before), restart_s, totalmem());
  return { ringBytes, largerRingWillDo: true };
}

/** From now on watches how much is written, says how long the ring holds it, and keeps it for the next collector. */
export function followRing(stage: Stage, probe: Probe, source: string): void {
  const { restart_s } = stage.settings.collector;
  const before = readBusiest(stage);
  const isSame = before.epoch === source;
  const busiest = new BusiestTime(restart_s, isSame ? before.bytes_per_s : 0);
  const bytes_per_s_before = isSame ? before.bytes_per_s_before : before.bytes_per_s;
  let noted = isSame ? before.bytes_per_s : 0;
  const note = () => {
    if (isSame && busiest.bytesPerS === noted) return;
    noted = busiest.bytesPerS;
    writeFileAtomic(fileOf(stage), JSON.stringify({ epoch: source, bytes_per_s: noted, bytes_per_s_before }));
  };
  const timer = setInterval(() => {
    busiest.sample(probe.ringWritten(), performance.now());
    stage.facts.set("ring", describeRing(probe.ringBytes, busiest.bytesPerS));
    if (busiest.bytesPerS > noted * GROWTH_NOTED) note();
  }, SAMPLE_MS);
  stage.onStop(() => {
    clearInterval(timer);
    note();
  });
  const known = Math.max(busiest.bytesPerS, bytes_per_s_before);
  stage.facts.set("ring", describeRing(probe.ringBytes, known));
  stage.log.info(`the ring buffer: ${describeRing(probe.ringBytes, known)}`, {
    ring_bytes: probe.ringBytes,
    restart_s,
  });
}

export function describeRing(ringBytes: number, bytesPerS: number): string {
  const size = `${ringBytes < MIB ? `${ringBytes / 1024} KiB` : `${ringBytes / MIB} MiB`} of memory`;
  if (bytesPerS < 1) return `${size}; how much is written to it is not known yet`;
  const seconds = Math.round((ringBytes / bytesPerS) * 10) / 10;
  return `${size}, holds ${seconds} s of the busiest time so far (${Math.round(bytesPerS / 1024)} KiB/s)`;
}
