// Makes the figures out of the measurements: medians and ratios, beside what they are meant to be.

import type { Machine } from "../common/machine.ts";
import { percentile, type Spread, spread } from "../common/statistics.ts";
import type { Place } from "./latency.ts";
import { type LatencyCondition, type Measurements, type SensorRun, STEADY_STORM, stormKinds } from "./measure.ts";

/** The portal is the backend; a fleet's sensors do not carry it. */
const PORTAL = "portal";
const EVENTS_PER_MILLION = 1e6;
const US_PER_S = 1e6;

export interface StormFigures {
  storm: string;
  rounds: number;
  /** Of the storm itself, with the sensor off. */
  operationsPerS: Spread | undefined;
  /** Time of an operation with the sensor over without, in the same round. */
  wallRatio: Spread | undefined;
  /** Processor time an operation was charged, with over without: what the kernel programs cost it. */
  cpuRatio: Spread | undefined;
  submittedPerS: Spread | undefined;
  /** Until the bus was at rest again, the storm's own time included. */
  processedPerS: Spread | undefined;
  /** Over all rounds. */
  submitted: number;
  submittedByType: Record<string, number>;
  filtered: number;
  dropped: number;
  droppedByReason: Record<string, number>;
  drainS: Spread | undefined;
  /** By role, the sum last. */
  cpuSPerMillionEvents: Record<string, Spread | undefined>;
  /** Processor time of all processes but the portal for one operation of the storm, in µs. */
  cpuUsPerOperation: Spread | undefined;
  foreignProcessorsOff: Spread | undefined;
  foreignProcessorsOn: Spread | undefined;
}

export interface LatencyFigures {
  condition: LatencyCondition;
  place: Place;
  deeds: number;
  missed: number;
  p50Ms: number | undefined;
  p99Ms: number | undefined;
  mostMs: number | undefined;
}

export interface MemoryFigures {
  role: string;
  peakResidentBytes: number;
  proportionalBytes: number;
}

export interface Aim {
  what: string;
  aim: string;
  measured: string;
  reached: boolean;
}

export interface Report {
  machine: Machine;
  startS: Spread | undefined;
  storms: StormFigures[];
  latencies: LatencyFigures[];
  memory: MemoryFigures[];
  /** Of all processes but the portal. */
  proportionalBytesWithoutPortal: number;
  aims: Aim[];
  versions: Record<string, string>;
}

function sumRecords(records: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const record of records) {
    for (const [name, count] of Object.entries(record)) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}

function cpuWithoutPortal({ cpuS }: SensorRun): number {
  return Object.entries(cpuS).reduce((sum, [role, cpu]) => sum + (role === PORTAL ? 0 : cpu), 0);
}

function cpuPerMillion(on: readonly SensorRun[]): Record<string, Spread | undefined> {
  const roles = [...new Set(on.flatMap(({ cpuS }) => Object.keys(cpuS)))];
  const of = (cpuOf: (run: SensorRun) => number) =>
    spread(
      on
        .filter(({ ledger }) => ledger.submitted > 0)
        .map((run) => (cpuOf(run) / run.ledger.submitted) * EVENTS_PER_MILLION),
    );
  const byRole = roles.map((role) => [role, of(({ cpuS }) => cpuS[role] ?? 0)] as const);
  return { ...Object.fromEntries(byRole), "sum without the portal": of(cpuWithoutPortal) };
}

function stormFigures(storm: string, { off, on }: Measurements): StormFigures {
  const ons = on.filter((run) => run.storm === storm);
  const offs = off.filter((run) => run.storm === storm);
  const pairs = ons.flatMap((a) => offs.filter((b) => b.round === a.round).map((b) => [a, b] as const));
  const perOperation = (seconds: number, done: number) => seconds / Math.max(1, done);
  const ratio = (of: (run: { wallS: number; userS: number; systemS: number }) => number) =>
    spread(pairs.map(([a, b]) => perOperation(of(a), a.done) / perOperation(of(b), b.done)));
  const ledgers = ons.map(({ ledger }) => ledger);
  const total = (of: (ledger: SensorRun["ledger"]) => number) => ledgers.reduce((sum, ledger) => sum + of(ledger), 0);
  return {
    storm,
    rounds: pairs.length,
    operationsPerS: spread(offs.map(({ done, wallS }) => done / wallS)),
    wallRatio: ratio(({ wallS }) => wallS),
    cpuRatio: ratio(({ userS, systemS }) => userS + systemS),
    submittedPerS: spread(ons.map(({ ledger, wallS }) => ledger.submitted / wallS)),
    processedPerS: spread(
      ons.flatMap(({ ledger, wallS, drainS }) => (drainS === undefined ? [] : [ledger.submitted / (wallS + drainS)])),
    ),
    submitted: total((ledger) => ledger.submitted),
    submittedByType: sumRecords(ledgers.map((ledger) => ledger.submittedByType)),
    filtered: total((ledger) => ledger.filtered),
    dropped: total((ledger) => ledger.dropped),
    droppedByReason: sumRecords(ledgers.map((ledger) => ledger.droppedByReason)),
    drainS: spread(ons.flatMap(({ drainS }) => drainS ?? [])),
    cpuSPerMillionEvents: cpuPerMillion(ons),
    cpuUsPerOperation: spread(ons.map((run) => (cpuWithoutPortal(run) / Math.max(1, run.done)) * US_PER_S)),
    foreignProcessorsOff: spread(offs.map(({ foreignProcessors }) => foreignProcessors)),
    foreignProcessorsOn: spread(ons.map(({ foreignProcessors }) => foreignProcessors)),
  };
}

function latencyFigures({ latencies }: Measurements): LatencyFigures[] {
  const groups = Map.groupBy(latencies, ({ condition, place }) => `${condition} ${place}`);
  return [...groups.values()].flatMap((runs) => {
    const [first] = runs;
    if (!first) return [];
    const ms = runs.flatMap((run) => run.ms);
    return {
      condition: first.condition,
      place: first.place,
      deeds: runs.reduce((sum, { deeds }) => sum + deeds, 0),
      missed: runs.reduce((sum, { missed }) => sum + missed, 0),
      p50Ms: percentile(ms, 0.5),
      p99Ms: percentile(ms, 0.99),
      mostMs: percentile(ms, 1),
    };
  });
}

// By role, the most of any round; processes of one role are added.
function memoryFigures({ memory }: Measurements): MemoryFigures[] {
  const rounds = memory.map((processes) => Map.groupBy(processes, ({ role }) => role));
  const roles = [...new Set(rounds.flatMap((round) => [...round.keys()]))];
  return roles.map((role) => {
    const most = (key: "peakResidentBytes" | "proportionalBytes") =>
      Math.max(...rounds.map((round) => (round.get(role) ?? []).reduce((sum, one) => sum + one[key], 0)));
    return { role, peakResidentBytes: most("peakResidentBytes"), proportionalBytes: most("proportionalBytes") };
  });
}

export const AIMS = { proportionalMb: 300, p50Ms: 15, p99Ms: 50 };
export const BYTES_PER_MB = 1e6;

function aimsOf(storms: readonly StormFigures[], latencies: readonly LatencyFigures[], bytes: number): Aim[] {
  const steady = storms.find(({ storm }) => storm === STEADY_STORM);
  const rate = Math.round(steady?.submittedPerS?.median ?? 0);
  const within = ({ missed, p50Ms, p99Ms }: LatencyFigures) =>
    missed === 0 && p50Ms !== undefined && p99Ms !== undefined && p50Ms < AIMS.p50Ms && p99Ms < AIMS.p99Ms;
  const ms = (value: number | undefined) => value?.toFixed(1) ?? "–";
  return [
    {
      what: `events dropped at ${STEADY_STORM}`,
      aim: "0",
      measured: `${steady?.dropped ?? "–"} at ${rate} submitted/s`,
      reached: steady?.dropped === 0 && steady.submitted > 0,
    },
    {
      what: "proportional memory without the portal",
      aim: `under ${AIMS.proportionalMb} MB`,
      measured: `${(bytes / BYTES_PER_MB).toFixed(0)} MB`,
      reached: bytes > 0 && bytes < AIMS.proportionalMb * BYTES_PER_MB,
    },
    ...latencies.map((one) => ({
      what: `deed to detection on the ${one.place}, ${one.condition}, p50/p99`,
      aim: `under ${AIMS.p50Ms}/${AIMS.p99Ms} ms`,
      measured: `${ms(one.p50Ms)}/${ms(one.p99Ms)} ms${one.missed > 0 ? `, ${one.missed} missed` : ""}`,
      reached: within(one),
    })),
  ];
}

export function reportOf(machine: Machine, measurements: Measurements): Report {
  const storms = stormKinds.map(({ name }) => stormFigures(name, measurements));
  const latencies = latencyFigures(measurements);
  const memory = memoryFigures(measurements);
  const withoutPortal = memory.filter(({ role }) => role !== PORTAL);
  const proportionalBytesWithoutPortal = withoutPortal.reduce((sum, one) => sum + one.proportionalBytes, 0);
  return {
    machine,
    startS: spread(measurements.startS),
    storms,
    latencies,
    memory,
    proportionalBytesWithoutPortal,
    aims: aimsOf(storms, latencies, proportionalBytesWithoutPortal),
    versions: measurements.versions,
  };
}
