// Holds what the sensor takes against its budget: which parts are over, and whether all is well.
import { DISK_FULL_PERCENT, DISK_ROOM_PERCENT, type Settings } from "@nightjar/stage";
import type { Pressure } from "./ladder.ts";
import type { Use } from "./use.ts";

/** Well is what is below this part of its budget. */
const WELL_PERCENT = 70;
/** Of memory: what a heap has grown to it keeps, so that less would hold sight back for good. */
const MEMORY_WELL_PERCENT = 95;
const PERCENT = 100;
/** Below it the host has nothing left over, so that what the sensor takes others lack. */
const HOST_BUSY_IDLE_PERCENT = 5;
/** The ring fills while nobody takes from it: beyond this the newest events are soon lost, whatever they are. */
const RING_PERCENT_MAX = 50;
const MIB = 1024 * 1024;

export interface Taken extends Use {
  lagS: number;
  ringPercent: number;
  /** Of the state folder's disk, in use by anybody. */
  diskPercent: number;
}

export interface Verdict extends Pressure {
  /** What is over, for a person; empty where nothing is. */
  reason: string;
}

type Limits = Pick<Settings["governor"], "cpu_percent" | "busy_cpu_percent" | "memory_bytes" | "lag_s">;

interface Part {
  value: number;
  max: number;
  wellBelow: number;
  tell: () => string;
}

/** Judges all parts; one that is over is enough, and all must be well. */
export function judge(taken: Taken, limits: Limits): Verdict {
  const parts = partsOf(taken, limits);
  const over = parts.filter(({ value, max }) => value > max);
  return {
    isOver: over.length > 0,
    isWell: parts.every(({ value, wellBelow }) => value < wellBelow),
    reason: over.map(({ tell }) => tell()).join("; "),
  };
}

function partsOf(taken: Taken, limits: Limits): Part[] {
  const { cpuPercent, memoryBytes, lagS, ringPercent, diskPercent } = taken;
  const isHostBusy = taken.hostIdlePercent < HOST_BUSY_IDLE_PERCENT;
  const cpuMax = isHostBusy ? Math.min(limits.cpu_percent, limits.busy_cpu_percent) : limits.cpu_percent;
  const busy = isHostBusy ? " while the host has none left over" : "";
  const memoryMax = limits.memory_bytes;
  const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
  return [
    {
      value: cpuPercent,
      max: cpuMax,
      wellBelow: wellBelow(cpuMax, WELL_PERCENT),
      tell: () => `it takes ${Math.round(cpuPercent)} % of a processor of ${cpuMax} %${busy}`,
    },
    {
      value: memoryBytes,
      max: memoryMax,
      wellBelow: wellBelow(memoryMax, MEMORY_WELL_PERCENT),
      tell: () => `it takes ${mib(memoryBytes)} of memory of ${mib(memoryMax)}`,
    },
    {
      value: lagS,
      max: limits.lag_s,
      wellBelow: wellBelow(limits.lag_s, WELL_PERCENT),
      tell: () => `the rules are ${Math.round(lagS)} s behind the kernel, of ${limits.lag_s} s`,
    },
    {
      value: ringPercent,
      max: RING_PERCENT_MAX,
      wellBelow: wellBelow(RING_PERCENT_MAX, WELL_PERCENT),
      tell: () => `the ring buffer is ${Math.round(ringPercent)} % full`,
    },
    {
      value: diskPercent,
      max: DISK_FULL_PERCENT,
      wellBelow: DISK_ROOM_PERCENT,
      tell: () => `the disk is ${Math.round(diskPercent)} % full`,
    },
  ];
}

function wellBelow(max: number, percent: number): number {
  return (max * percent) / PERCENT;
}
