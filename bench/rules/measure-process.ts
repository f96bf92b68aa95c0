// Measures one set of rules over recorded batches, alone in its process: nothing is warm or in memory from another.
//
//   node --expose-gc measure-process.ts SET RECORDING
import { BatchReader } from "@nightjar/events";
import { compileRules, loadRules } from "@nightjar/rules";
import { readBatches } from "./batches.ts";
import { filesOf, type SetName } from "./rule-sets.ts";

/** The first passes are slower, until the code is optimized. */
const WARM_UP_MS = 1_500;
const PASSES_MIN = 3;
const MEASURED_MS = 2_000;

export interface Measured {
  set: SetName;
  rules: number;
  /** Rules with an error, which are left out. */
  refused: number;
  events: number;
  matches: number;
  /** CPU time of loading and compiling. */
  loadMs: number;
  /** The same on the clock: the garbage collector works beside. */
  loadClockMs: number;
  nsPerEvent: number;
  /** What the rules and the engine hold, and the most the process had. */
  heapBytes: number;
  peakResidentBytes: number;
}

const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);

/** CPU time of what `work` does, in ms: on a busy machine the clock on the wall says little. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function passes(work: () => number, forMs: number): { ms: number; passes: number; matches: number } {
  let [ms, count, matches] = [0, 0, 0];
  while (ms < forMs || count < PASSES_MIN) {
    ms += cpuMs(() => {
      matches = work();
    });
    count++;
  }
  return { ms, passes: count, matches };
}

async function measure(set: SetName, recording: string): Promise<Measured> {
  const files = filesOf(set);
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  let loaded = loadRules([]);
  let engine = compileRules([]);
  const clock = performance.now();
  const loadMs = cpuMs(() => {
    loaded = loadRules(files);
    engine = compileRules(loaded.rules.map((rule) => ({ ...rule, enabled: true })));
  });
  const loadClockMs = performance.now() - clock;
  collect();
  const heapBytes = process.memoryUsage().heapUsed - heapBefore;
  const batches = await readBatches(recording);
  const events = batches.reduce((sum, bytes) => sum + new BatchReader(bytes).length, 0);
  const work = () => batches.reduce((sum, bytes) => sum + engine.matchBatch(bytes).length, 0);
  passes(work, WARM_UP_MS);
  const measured = passes(work, MEASURED_MS);
  return {
    set,
    rules: engine.rules.length,
    refused: loaded.problems.filter(({ severity }) => severity === "error").length,
    events,
    matches: measured.matches,
    loadMs,
    loadClockMs,
    nsPerEvent: (measured.ms * 1e6) / (measured.passes * events),
    heapBytes,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
  };
}

const [set, recording] = process.argv.slice(2);
console.log(JSON.stringify(await measure(set as SetName, recording as string)));
