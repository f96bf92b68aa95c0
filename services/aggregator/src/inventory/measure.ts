// Measures the inventory for its benchmark: what an event costs that brings nothing new, disk and memory, a quiet hour.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { InventoryDeltaSchema } from "@nightjar/proto";
import { deltaOf } from "./deltas.ts";
import { InventoryStore } from "./store.ts";
import { execOf, factsOf, libraryOf, runningOf, TestHost } from "./testing.ts";

/** What the measurements say, by the name of the figure, with its unit last. */
type Figures = Record<string, number>;

const EVENTS_PER_BATCH = 256;
const PROGRAMS = 50;
/** Code is optimized while it runs: what comes first is not measured. */
const WARM_UP_BATCHES = 400;
const MEASURED_BATCHES = 2_000;
const EXECUTABLES = 100_000;
const CRON_MINUTES = 5;
const CRON_PROGRAMS = 6;
const LIBRARIES = 60;

const programOf = (at: number, pid: number) => ({ pid, path: `/usr/bin/program-${at}`, args: ["--config", "/etc/x"] });

/** Prints the figures of the named measurement as JSON; 2 where there is none. */
export async function measure(name: string | undefined): Promise<number> {
  const work = MEASUREMENTS.get(name ?? "");
  if (!work) return 2;
  process.stdout.write(`${JSON.stringify(await work())}\n`);
  return 0;
}

async function measureEvents(): Promise<Figures> {
  const events = (make: (at: number) => Parameters<typeof factsOf>[0][number]) =>
    factsOf(Array.from({ length: EVENTS_PER_BATCH }, (_, at) => make(at)));
  const exec = events((at) => execOf(programOf(at % PROGRAMS, 1_000 + at)));
  const library = events((at) => libraryOf(programOf(at % PROGRAMS, 1_000 + at), `/usr/lib/lib${at % PROGRAMS}.so`));
  return { us_per_exec: await microseconds(exec), us_per_library: await microseconds(library) };
}

async function microseconds(batch: Uint8Array): Promise<number> {
  const host = new TestHost();
  host.answer = [runningOf([])];
  const take = (times: number) => {
    for (let at = 0; at < times; at++) host.inventory.take(batch);
  };
  take(WARM_UP_BATCHES);
  const before = process.cpuUsage();
  take(MEASURED_BATCHES);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (MEASURED_BATCHES * EVENTS_PER_BATCH);
}

async function measureDisk(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "nightjar-bench-"));
  try {
    const { store } = await InventoryStore.open(folder);
    const host = new TestHost({ itemsMax: 3 * EXECUTABLES }, (settled, meta) => store.commit(settled, meta));
    globalThis.gc?.();
    const heapBefore = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    for (let from = 0; from < EXECUTABLES; from += EVENTS_PER_BATCH) {
      const pids = Array.from({ length: Math.min(EVENTS_PER_BATCH, EXECUTABLES - from) }, (_, at) => from + at);
      host.inventory.take(factsOf(pids.map((pid) => execOf({ pid, path: `/opt/some/folder/program-${pid}` }))));
      await host.inventory.settle();
    }
    await store.close();
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - heapBefore;
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    return { items: host.inventory.catalogue.size, disk_bytes: bytes, memory_bytes: heap };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An hour in which cron runs some programs every five minutes, and services do what they did before. */
async function measureQuietHour(): Promise<Figures> {
  const host = new TestHost();
  const libraries = Array.from({ length: LIBRARIES }, (_, at) => `/usr/lib/lib${at}.so`);
  const services = Array.from({ length: PROGRAMS }, (_, at) => ({
    ...programOf(at, 100 + at),
    libraries,
    ports: [at + 1],
  }));
  const cron = (hour: number) => (pid: number) => ({
    ...programOf(PROGRAMS + (pid % CRON_PROGRAMS), pid + 1_000 * hour),
  });
  host.answer = [runningOf(services)];
  await host.pass(1);
  const hour = async (number: number) => {
    for (let minute = 0; minute < 60; minute += CRON_MINUTES) {
      const run = Array.from({ length: CRON_PROGRAMS }, (_, at) => cron(number)(10_000 + minute * CRON_PROGRAMS + at));
      host.inventory.take(factsOf(run.flatMap((one) => [execOf(one), libraryOf(one, libraries[0] ?? "")])));
      host.answer = [runningOf([...services, ...run.map((one) => ({ ...one, libraries }))], { isComplete: false })];
      await host.pass(1);
      host.answer = [runningOf(services)];
      await host.pass(CRON_MINUTES * 60 - 1);
    }
  };
  await hour(1);
  const before = host.inventory.catalogue.revision;
  const snapshot = bytesOf(host, 0n);
  await hour(2);
  return { snapshot_bytes: snapshot, quiet_hour_bytes: bytesOf(host, before) };
}

function bytesOf({ inventory, nowMs }: TestHost, from: bigint): number {
  const parts = deltaOf(inventory.catalogue, { from, nowMs });
  return parts.reduce((sum, delta) => sum + toBinary(InventoryDeltaSchema, delta).length, 0);
}

const MEASUREMENTS: ReadonlyMap<string, () => Promise<Figures>> = new Map([
  ["events", measureEvents],
  ["disk", measureDisk],
  ["quiet-hour", measureQuietHour],
]);
