// A sensor's state at a moment, with what its stages' other processes (nats-server) take of the host.
import { readFileSync } from "node:fs";
import type { NatsConnection } from "@nats-io/transport-node";
import { readSensorState, type SensorState } from "./sensor-state.ts";

/** USER_HZ: what /proc counts processor time in, the same on every architecture that is supported. */
const MS_PER_TICK = 10;
const BYTES_PER_KIB = 1_024;
/** In /proc/PID/stat, counted from behind the name, which may hold spaces. */
const UTIME_FIELD = 11;

export interface ProcessUse {
  cpuMs: number;
  memoryBytes: number;
}

export interface Reading {
  /** Milliseconds of a clock that only goes forward. */
  atMs: number;
  state: SensorState;
  /** Of the stages' child processes, by pid; those that have ended are missing. */
  children: ReadonlyMap<number, ProcessUse>;
}

export async function takeReading(connection: NatsConnection, stateDir: string): Promise<Reading> {
  const state = await readSensorState(connection, stateDir);
  const children = new Map<number, ProcessUse>();
  for (const pid of state.statuses.flatMap(({ childPids }) => childPids)) {
    const use = processUse(pid);
    if (use) children.set(pid, use);
  }
  return { atMs: performance.now(), state, children };
}

function processUse(pid: number): ProcessUse | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[UTIME_FIELD]) + Number(fields[UTIME_FIELD + 1]);
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return { cpuMs: ticks * MS_PER_TICK, memoryBytes: Number(kib ?? 0) * BYTES_PER_KIB };
  } catch {
    return undefined;
  }
}
