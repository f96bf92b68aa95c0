// What /proc says of processes: who belongs to whom, processor time, memory.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_S = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const BYTES_PER_KIB = 1024;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended in the meantime.
    return undefined;
  }
}

// proc(5): the name in parentheses may hold anything, so the fields are counted from its last ")".
function statOf(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

const PARENT_FIELD = 1;
const USER_TICKS_FIELD = 11;
const SYSTEM_TICKS_FIELD = 12;

/** A process and all that descend from it, itself first. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))?.[PARENT_FIELD]);
    const siblings = children.get(parent);
    if (siblings) siblings.push(Number(name));
    else children.set(parent, [Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Seconds of processor time a process has used with all its threads; undefined when it is gone. */
export function cpuSeconds(pid: number): number | undefined {
  const stat = statOf(pid);
  return stat && (Number(stat[USER_TICKS_FIELD]) + Number(stat[SYSTEM_TICKS_FIELD])) / TICKS_PER_S;
}

export interface Memory {
  /** The most it ever had resident. */
  peakResidentBytes: number;
  /** What it has now, pages shared with others divided among them. */
  proportionalBytes: number;
}

function kibOf(text: string | undefined, name: string): number {
  return Number(text?.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1] ?? 0) * BYTES_PER_KIB;
}

export function memoryOf(pid: number): Memory {
  return {
    peakResidentBytes: kibOf(read(`/proc/${pid}/status`), "VmHWM"),
    proportionalBytes: kibOf(read(`/proc/${pid}/smaps_rollup`), "Pss"),
  };
}

/** What a process of the sensor is: a stage's name, "nats-server", or "nightjar run". */
export function roleOf(pid: number): string | undefined {
  const command = read(`/proc/${pid}/cmdline`)?.split("\0") ?? [];
  // A stage names itself once it runs; before that, its program's folder names it.
  const stage = command.map((word) => word.match(/^nightjar-([\w-]+)$|services\/([\w-]+)\/(src|dist)\//)).find(Boolean);
  if (stage) return stage[1] ?? stage[2];
  if (command.some((word) => /cli\/(src\/main\.ts|dist\/main\.js)$/.test(word))) return "nightjar run";
  const program = command[0]?.split("/").at(-1);
  return program === "" ? undefined : program;
}
