// Measures the enricher for `nightjar bench enrich`, alone in its process: nothing is warm or in memory from another.
import { BatchReader, readRecording, tagOf, WIRE_FIXED64 } from "@nightjar/events";
import { BatchSchema } from "@nightjar/proto";
import { MESSAGE_BYTES_MAX } from "@nightjar/stage";
import { Enricher } from "./enricher.ts";
import { createHandler } from "./handle.ts";
import { measuredContext } from "./measure-context.ts";
import { scanProcfs } from "./procfs.ts";
import { TREE_LIMITS } from "./tree.ts";
import { UserFiles } from "./users.ts";

/** Code is optimized while it runs: what comes first is not measured. */
const WARM_UP_MS = 1_500;
const MEASURED_MS = 2_000;
const PASSES_MIN = 3;
const NS_PER_MS = 1e6;

/** What a measurement says, by the name of the figure, with its unit last. */
export type Figures = Record<string, number>;

/** An enricher on this machine's files. */
function enricherOf(bootId: string): Enricher {
  const users = new UserFiles();
  users.refresh(performance.now());
  return new Enricher({
    ...{ bootId, lookup: () => undefined, users, context: measuredContext() },
    ...{ outputBytesMax: MESSAGE_BYTES_MAX, limits: TREE_LIMITS },
  });
}

const handlerOf = (enricher: Enricher) => createHandler(enricher, { publish: async () => undefined });

interface Input {
  batches: Uint8Array[];
  bootId: string;
}

async function readInput(): Promise<Input> {
  const batches: Uint8Array[] = [];
  for await (const batch of readRecording(process.stdin)) batches.push(batch.slice());
  const [first] = batches;
  if (!first) throw new Error("the recording has no batches");
  return { batches, bootId: Buffer.from(new BatchReader(first).bootId).toString("hex") };
}

const EPOCH_TAG = tagOf(BatchSchema.field.epoch.number, WIRE_FIXED64);

/** The batch as of another ring, so that it is not passed over as one that came before; the last of a field counts. */
function ofEpoch(batch: Uint8Array, epoch: bigint): Uint8Array {
  const copy = new Uint8Array(batch.length + 1 + BigUint64Array.BYTES_PER_ELEMENT);
  copy.set(batch);
  copy[batch.length] = EPOCH_TAG;
  new DataView(copy.buffer).setBigUint64(batch.length + 1, epoch, true);
  return copy;
}

/** CPU time of what `work` does, in ms, all threads together: on a busy machine the clock on the wall says little. */
async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const eventsIn = (batches: readonly Uint8Array[]) =>
  batches.reduce((sum, batch) => sum + new BatchReader(batch).length, 0);

/** The first batch makes the processes; the others are what they do, over and over. */
async function measureEvents(): Promise<Figures> {
  const { batches, bootId } = await readInput();
  const [begin, ...rest] = batches as [Uint8Array, ...Uint8Array[]];
  const handle = handlerOf(enricherOf(bootId));
  await handle(begin);
  let epoch = 1n;
  const passes = async (forMs: number): Promise<{ ms: number; count: number }> => {
    let [ms, count] = [0, 0];
    while (ms < forMs || count < PASSES_MIN) {
      epoch++;
      const inputs = rest.map((batch) => ofEpoch(batch, epoch));
      ms += await cpuMs(async () => {
        for (const batch of inputs) await handle(batch);
      });
      count++;
    }
    return { ms, count };
  };
  await passes(WARM_UP_MS);
  const { ms, count } = await passes(MEASURED_MS);
  const events = eventsIn(rest);
  return { events: events * count, ns_per_event: (ms * NS_PER_MS) / (events * count) };
}

/** Processes that fork, exec and exit; the first third warms up. */
async function measureExecs(): Promise<Figures> {
  const { batches, bootId } = await readInput();
  const enricher = enricherOf(bootId);
  const handle = handlerOf(enricher);
  const border = Math.ceil(batches.length / 3);
  for (const batch of batches.slice(0, border)) await handle(batch);
  const measured = batches.slice(border);
  const ms = await cpuMs(async () => {
    for (const batch of measured) await handle(batch);
  });
  const execs = eventsIn(measured) / EVENTS_PER_EXEC;
  return { execs, us_per_exec: (ms * 1_000) / execs, execs_per_s: execs / (ms / 1_000), processes: enricher.tree.size };
}

/** A fork, an exec, an exit. */
const EVENTS_PER_EXEC = 3;

/** What a tree of processes that run takes when everything else is collected; they also have acted. */
async function measureMemory(): Promise<Figures> {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) throw new Error("started without --expose-gc");
  const taken = () => {
    // The first finds what is garbage, the second what only that held on to.
    gc();
    gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  let enricher: Enricher | undefined;
  let handle: ReturnType<typeof handlerOf> = async () => undefined;
  let before = 0;
  for await (const batch of readRecording(process.stdin)) {
    if (!enricher) {
      enricher = enricherOf(Buffer.from(new BatchReader(batch).bootId).toString("hex"));
      handle = handlerOf(enricher);
      before = taken();
    }
    await handle(batch);
  }
  if (!enricher) throw new Error("the recording has no batches");
  const bytes = taken() - before;
  const { size, imageBytes, counts } = enricher.tree;
  const residentPeakBytes = process.resourceUsage().maxRSS * 1024;
  return {
    processes: size,
    bytes,
    image_bytes: imageBytes,
    evicted: counts.evicted,
    resident_peak_bytes: residentPeakBytes,
  };
}

/** Reads the tree of this machine's processes, as at a start. */
async function measureTree(): Promise<Figures> {
  const enricher = enricherOf("");
  const clock = performance.now();
  const ms = await cpuMs(async () => enricher.load(scanProcfs("brief")));
  return { processes: enricher.tree.size, cpu_ms: ms, clock_ms: performance.now() - clock };
}

const MEASUREMENTS: ReadonlyMap<string, () => Promise<Figures>> = new Map([
  ["events", measureEvents],
  ["execs", measureExecs],
  ["memory", measureMemory],
  ["tree", measureTree],
]);

/** Prints the figures of one measurement as JSON; the recording it needs comes on standard input. */
export async function measure(name: string | undefined): Promise<number> {
  const work = MEASUREMENTS.get(name ?? "");
  if (!work) {
    process.stderr.write(`measurements: ${[...MEASUREMENTS.keys()].join(", ")}\n`);
    return 2;
  }
  process.stdout.write(`${JSON.stringify(await work())}\n`);
  return 0;
}
