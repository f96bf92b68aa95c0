// Says what a benchmark ran on, and how busy the machine was with other things.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

export interface Machine {
  kernel: string;
  processor: string;
  processors: number;
  memoryBytes: number;
  /** Over the last minute, when the benchmark began. */
  loadAverage: number;
  node: string;
}

export function thisMachine(): Machine {
  return {
    kernel: release(),
    processor: cpus()[0]?.model ?? "unknown",
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    loadAverage: loadavg()[0] ?? 0,
    node: process.version,
  };
}

const TICKS_PER_S = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Seconds of processor time the whole machine has spent on anything but idling since it booted, stolen time too. */
export function busySeconds(): number {
  // proc(5): user nice system idle iowait irq softirq steal, then guests, which user and nice have counted already.
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_S;
}
