// Says what a benchmark ran on, and how busy the machine was with other things.
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

/** Processor time the whole machine has spent on anything but idling, in ticks; for ratios only. */
export function busyShare(): () => number {
  const read = () => {
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = (
      readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? ""
    )
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const busy = user + nice + system + irq + softirq + steal;
    return { busy, all: busy + idle + wait };
  };
  const start = read();
  return () => {
    const end = read();
    return (end.busy - start.busy) / Math.max(1, end.all - start.all);
  };
}
