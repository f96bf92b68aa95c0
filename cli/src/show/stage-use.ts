// What each stage does and takes between two readings: work a second, processor, memory, what waits for it.
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StageStatus } from "@nightjar/proto";
import type { Reading } from "../connect/reading.ts";
import { WORK_COUNTERS } from "./figures.ts";

const MS_PER_S = 1_000;
const PERCENT = 100;

export interface StageUse {
  stage: string;
  /** Seconds since its process started. */
  uptime_s: number;
  /** Work counted a second, between the readings; undefined where nothing is counted, or it started between them. */
  events_per_s?: number;
  /** Of one processor, child processes with it; undefined where it started between the readings. */
  cpu_percent?: number;
  /** Resident, child processes with it. */
  memory_bytes: number;
  /** Messages that wait for it. */
  lag_messages: number;
}

export function stageUses(now: Reading, before: Reading): StageUse[] {
  return now.state.statuses.map((status) => {
    const earlier = before.state.statuses.find(
      ({ stage, instance }) => stage === status.stage && instance === status.instance,
    );
    const seconds = (now.atMs - before.atMs) / MS_PER_S;
    const rate = (of: (status: StageStatus, reading: Reading) => number) =>
      earlier && seconds > 0 ? (of(status, now) - of(earlier, before)) / seconds : undefined;
    const counter = WORK_COUNTERS[status.stage];
    const events = counter ? rate(({ counters }) => Number(counters[counter] ?? 0n)) : undefined;
    const cpuMs = rate(cpuOf);
    return {
      stage: status.stage,
      uptime_s: status.startedAt ? Math.max(0, Math.round((Date.now() - timestampMs(status.startedAt)) / MS_PER_S)) : 0,
      ...(events !== undefined && { events_per_s: rounded(events) }),
      ...(cpuMs !== undefined && { cpu_percent: rounded((cpuMs / MS_PER_S) * PERCENT) }),
      memory_bytes: memoryOf(status, now),
      lag_messages: lagOf(status.stage, now),
    };
  });
}

const rounded = (value: number) => Math.round(Math.max(0, value) * 10) / 10;

function cpuOf({ resources, childPids }: StageStatus, { children }: Reading): number {
  const own = Number(resources?.cpuMs ?? 0n);
  return childPids.reduce((sum, pid) => sum + (children.get(pid)?.cpuMs ?? 0), own);
}

function memoryOf({ resources, childPids }: StageStatus, { children }: Reading): number {
  const own = Number(resources?.memoryBytes ?? 0n);
  return childPids.reduce((sum, pid) => sum + (children.get(pid)?.memoryBytes ?? 0), own);
}

function lagOf(stage: string, { state }: Reading): number {
  return state.queues.filter(({ reader }) => reader === stage).reduce((sum, { messages }) => sum + messages, 0);
}
