// Measures what the probe adds to system calls, opens, execs and connects, and how many opens it keeps up with.
//
//   nightjar bench probe [--json] [--rounds N] [--seconds S]
//
// Needs root. Each operation is measured with and without the probe in turn; the process that does them is pinned to
// one processor and the probe's reader to another, where there are two.
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { OPERATIONS, type Operation, Operator } from "./operator.ts";
import type { ProfileName } from "./profiles.ts";
import { type Pair, reportOf, reportText, type Steady } from "./report.ts";
import { WatcherProcess } from "./watcher-process.ts";

const ROUNDS_DEFAULT = 5;
const SECONDS_DEFAULT = 10;
const USAGE = "usage: nightjar bench probe [--json] [--rounds N] [--seconds S]";
const PROFILES: readonly ProfileName[] = ["starter", "firstWrites", "everything"];
/** Batches, and operations in one: long enough for the clock, short enough that some are not disturbed. */
const SIZES: Readonly<Record<Operation, readonly [batches: number, operations: number]>> = {
  getppid: [60, 10_000],
  open: [60, 1_000],
  write: [60, 5_000],
  exec: [20, 20],
  connect: [20, 100],
};
const RATES: readonly (readonly [profile: ProfileName, perSecond: number])[] = [
  ["unwanted", 300_000],
  ["opens", 150_000],
];

const say = (text: string): void => console.error(text);

interface Bench {
  operator: Operator;
  watcher: WatcherProcess;
  signal: AbortSignal;
}

async function measureAll({ operator, signal }: Bench): Promise<Map<Operation, number[]>> {
  const results = new Map<Operation, number[]>();
  for (const operation of OPERATIONS) {
    signal.throwIfAborted();
    results.set(operation, await operator.measure(operation, ...SIZES[operation]));
  }
  return results;
}

/** One profile, on and off close in time; which is first changes from round to round. */
async function round(bench: Bench, profile: ProfileName, number: number): Promise<Pair[]> {
  const on = async () => {
    await bench.watcher.open(profile);
    const results = await measureAll(bench);
    await bench.watcher.close();
    return results;
  };
  let offNs: Map<Operation, number[]>;
  let onNs: Map<Operation, number[]>;
  if (number % 2 === 0) {
    onNs = await on();
    offNs = await measureAll(bench);
  } else {
    offNs = await measureAll(bench);
    onNs = await on();
  }
  return OPERATIONS.map((operation) => ({
    operation,
    profile,
    offNs: offNs.get(operation) ?? [],
    onNs: onNs.get(operation) ?? [],
  }));
}

async function steady(bench: Bench, profile: ProfileName, wantedPerS: number, seconds: number): Promise<Steady> {
  bench.signal.throwIfAborted();
  const before = await bench.watcher.open(profile);
  const done = await bench.operator.openAt(wantedPerS, seconds);
  const after = await bench.watcher.close();
  const { seen = 0, filtered = 0, submitted = 0, dropped = 0 } = after.types.open ?? {};
  return {
    profile,
    wantedPerS,
    donePerS: done.done / done.seconds,
    seconds: done.seconds,
    ...{ seen, filtered, submitted, dropped },
    watcherCpuUs: after.cpuUs - before.cpuUs,
    ringBytes: after.ringBytes,
  };
}

async function measure(bench: Bench, rounds: number, seconds: number) {
  const pairs: Pair[] = [];
  for (let number = 1; number <= rounds; number++) {
    for (const profile of PROFILES) pairs.push(...(await round(bench, profile, number)));
    say(`round ${number} of ${rounds}`);
  }
  const runs: Steady[] = [];
  for (const [profile, perSecond] of RATES) {
    runs.push(await steady(bench, profile, perSecond, seconds));
    say(`opens at ${perSecond}/s, ${profile}`);
  }
  return reportOf(pairs, runs);
}

function readArguments(args: readonly string[]): { json: boolean; rounds: number; seconds: number } | string {
  const options = {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: String(ROUNDS_DEFAULT) },
    seconds: { type: "string", default: String(SECONDS_DEFAULT) },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return "";
    const wanted = { json: values.json, rounds: Number(values.rounds), seconds: Number(values.seconds) };
    const isGood = Number.isInteger(wanted.rounds) && wanted.rounds >= 1 && wanted.seconds > 0;
    return isGood ? wanted : "rounds is a whole number from 1 on, seconds is above 0";
  } catch (error) {
    return (error as Error).message;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = readArguments(args);
  if (typeof wanted === "string") {
    say(wanted === "" ? USAGE : `${wanted}\n${USAGE}`);
    return wanted === "" ? 0 : 2;
  }
  if (process.getuid?.() !== 0) {
    say("this benchmark loads the real probe, which needs root: try it with sudo");
    return 1;
  }
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const folder = mkdtempSync(join(tmpdir(), "nightjar-bench-"));
  const operator = new Operator(folder, 0);
  const watcher = new WatcherProcess(availableParallelism() > 1 ? 1 : 0);
  try {
    const report = await measure({ operator, watcher, signal: abort.signal }, wanted.rounds, wanted.seconds);
    console.log(wanted.json ? JSON.stringify(report) : reportText(report));
    return 0;
  } catch (error) {
    say(abort.signal.aborted ? "stopped" : (error as Error).message);
    return 1;
  } finally {
    operator.end();
    watcher.end();
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
