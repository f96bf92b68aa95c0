// Runs the storms with the sensor on and off in alternating rounds, and gathers what they cost.

import { busySeconds } from "../common/machine.ts";
import { type ArrivalWatch, type Latencies, measureLatency } from "./latency.ts";
import type { Load, Operation, StormResult } from "./load.ts";
import { type Ledger, ledgerBetween, type ProcessMemory, type Sensor } from "./sensor.ts";

interface StormKind {
  name: string;
  operation: Operation;
  /** Operations a second; 0 for as fast as it goes. */
  rate: number;
}

/** The rate the sensor must bear without drops, on 2 processors. */
export const STEADY_RATE = 20_000;
export const STEADY_STORM = `opens at ${STEADY_RATE.toLocaleString("en")}/s`;

export const stormKinds: readonly StormKind[] = [
  { name: "exec storm", operation: "exec", rate: 0 },
  { name: "open storm", operation: "open", rate: 0 },
  { name: STEADY_STORM, operation: "open", rate: STEADY_RATE },
  { name: "connect storm", operation: "connect", rate: 0 },
];

/** The most operations of a storm, however long it may last. */
const OPERATIONS_MAX = 20_000_000;

export interface StormPlan extends StormKind {
  countMax: number;
  secondsMax: number;
}

/** All storms, each for so many seconds: with the sensor on it does less in them, so ratios are of one operation. */
export function planStorms(seconds: number): StormPlan[] {
  return stormKinds.map((kind) => ({ ...kind, countMax: OPERATIONS_MAX, secondsMax: seconds }));
}

export interface StormRun extends StormResult {
  storm: string;
  round: number;
  /** How many processors were busy with anything but the storm and the sensor. */
  foreignProcessors: number;
}

export interface SensorRun extends StormRun {
  ledger: Ledger;
  /** Processor time by role, in s, until the bus was at rest. */
  cpuS: Record<string, number>;
  /** From the storm's end until nothing waited on the bus; undefined when it never was. */
  drainS: number | undefined;
}

export async function runStorm(load: Load, plan: StormPlan, round: number, signal: AbortSignal): Promise<StormRun> {
  const foreign = foreignTime();
  const result = await load.storm(plan, signal);
  return { ...result, storm: plan.name, round, foreignProcessors: foreign(result.userS + result.systemS) };
}

/** Starts to measure; the function that is returned is given the processor time that is not foreign. */
function foreignTime(): (ownS: number) => number {
  const start = { busyS: busySeconds(), ms: performance.now() };
  return (ownS) => Math.max(0, (busySeconds() - start.busyS - ownS) / ((performance.now() - start.ms) / 1000));
}

/** The same, with what the sensor counted and used for it. */
export async function runStormWatched(
  load: Load,
  plan: StormPlan,
  round: number,
  sensor: Sensor,
  signal: AbortSignal,
): Promise<SensorRun> {
  const before = await sensor.snapshot();
  const foreign = foreignTime();
  const run = await runStorm(load, plan, round, signal);
  const drainS = await sensor.drained();
  const after = await sensor.snapshot();
  const cpuS = Object.fromEntries([...after.cpuS].map(([role, cpu]) => [role, cpu - (before.cpuS.get(role) ?? 0)]));
  const ownS = Object.values(cpuS).reduce((sum, cpu) => sum + cpu, run.userS + run.systemS);
  const ledger = ledgerBetween(before.ledger, after.ledger);
  return { ...run, foreignProcessors: foreign(ownS), ledger, cpuS, drainS };
}

export type LatencyCondition = "quiet" | "beside the steady storm";

export interface LatencyRun extends Latencies {
  condition: LatencyCondition;
  round: number;
}

/** A file whose reading by a program that has no business with it is a detection of the rules that come along. */
const DEED_FILE = "/etc/shadow";
/** A deed and its gap, with room to spare: how long the storm beside the deeds must last. */
const DEED_MS_MAX = 60;

/** Measures the latency of `count` deeds in quiet, then of as many beside the steady storm. */
export async function runLatency(
  load: Load,
  watch: ArrivalWatch,
  count: number,
  round: number,
  signal: AbortSignal,
): Promise<LatencyRun[]> {
  const deeds = load.deeds(DEED_FILE);
  try {
    const quiet = await measureLatency(watch, deeds, count);
    const secondsMax = (count * DEED_MS_MAX) / 1000;
    const steady = { operation: "open", countMax: Number.MAX_SAFE_INTEGER, secondsMax, rate: STEADY_RATE } as const;
    const storm = load.storm(steady, signal);
    const [beside] = await Promise.all([measureLatency(watch, deeds, count), storm]);
    const runs = (condition: LatencyCondition) => (one: Latencies) => ({ ...one, condition, round });
    return [...quiet.map(runs("quiet")), ...beside.map(runs("beside the steady storm"))];
  } finally {
    deeds.end();
  }
}

export interface Measurements {
  off: StormRun[];
  on: SensorRun[];
  latencies: LatencyRun[];
  /** After the storms of each round. */
  memory: ProcessMemory[][];
  startS: number[];
  versions: Record<string, string>;
}
