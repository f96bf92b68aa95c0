// What the sensor's processes take of the host, and what the host has left over; read from /proc.
import { readFileSync } from "node:fs";

/** sysconf(_SC_CLK_TCK): 100 on every architecture that Linux runs Node on. */
const TICKS_PER_S = 100;
const MS_PER_S = 1_000;
const PERCENT = 100;
const BYTES_PER_KB = 1024;
/** So many looks make an average: one second's alone says little. */
const LOOKS_AVERAGED = 5;

export interface Use {
  /** Of one processor, over the last looks. */
  cpuPercent: number;
  /** Each process's own pages, and once the most that one of them maps of files. */
  memoryBytes: number;
  /** Of all processors, over the last looks: 0 where nothing is left over. */
  hostIdlePercent: number;
}

interface Look {
  atMs: number;
  ticks: number;
  hostTicks: number;
  hostIdleTicks: number;
}

/** Reads /proc/`path`; undefined where it is not there or may not be read. */
export type ReadProc = (path: string) => string | undefined;

const readProcFile: ReadProc = (path) => {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return undefined;
  }
};

export class UseMeter {
  readonly #read: ReadProc;
  readonly #looks: Look[] = [];
  /** By pid and start: who ended takes nothing back of what it took. */
  #ticks = new Map<string, number>();
  #taken = 0;

  constructor(read: ReadProc = readProcFile) {
    this.#read = read;
  }

  /** Looks at these processes; those that have ended are passed over. `nowMs` is of a clock that only goes forward. */
  look(pids: readonly number[], nowMs: number): Use {
    const memory = { own: 0, shared: 0 };
    const ticks = new Map<string, number>();
    for (const pid of pids) {
      const stat = parseStat(this.#read(`${pid}/stat`));
      if (!stat) continue;
      const id = `${pid}:${stat.startTicks}`;
      ticks.set(id, stat.cpuTicks);
      // What a process took before it was met says nothing of now.
      this.#taken += stat.cpuTicks - (this.#ticks.get(id) ?? stat.cpuTicks);
      const { anonymousBytes, fileBytes } = parseMemory(this.#read(`${pid}/status`));
      memory.own += anonymousBytes;
      memory.shared = Math.max(memory.shared, fileBytes);
    }
    this.#ticks = ticks;
    this.#looks.push({ atMs: nowMs, ticks: this.#taken, ...parseHost(this.#read("stat")) });
    if (this.#looks.length > LOOKS_AVERAGED + 1) this.#looks.shift();
    return { ...this.#average(), memoryBytes: memory.own + memory.shared };
  }

  #average(): Omit<Use, "memoryBytes"> {
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    if (!first || !last || last.atMs <= first.atMs) return { cpuPercent: 0, hostIdlePercent: PERCENT };
    const seconds = (last.atMs - first.atMs) / MS_PER_S;
    const hostTicks = last.hostTicks - first.hostTicks;
    return {
      cpuPercent: (PERCENT * (last.ticks - first.ticks)) / TICKS_PER_S / seconds,
      hostIdlePercent: hostTicks > 0 ? (PERCENT * (last.hostIdleTicks - first.hostIdleTicks)) / hostTicks : PERCENT,
    };
  }
}

/** proc_pid_stat(5): utime and stime are fields 14 and 15, starttime 22; the name before them may hold anything. */
function parseStat(text: string | undefined): { cpuTicks: number; startTicks: string } | undefined {
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system, startTicks] = [Number(fields?.[11]), Number(fields?.[12]), fields?.[19]];
  if (startTicks === undefined || !Number.isFinite(user + system)) return undefined;
  return { cpuTicks: user + system, startTicks };
}

/** proc_pid_status(5). */
function parseMemory(text = ""): { anonymousBytes: number; fileBytes: number } {
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * BYTES_PER_KB;
  return { anonymousBytes: bytes("RssAnon") + bytes("RssShmem"), fileBytes: bytes("RssFile") };
}

/** proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; what guests took is among user and nice. */
function parseHost(text = ""): Pick<Look, "hostTicks" | "hostIdleTicks"> {
  const ticks = (/^cpu +(.*)$/m.exec(text)?.[1] ?? "").split(" ").slice(0, 8).map(Number);
  return {
    hostTicks: ticks.reduce((sum, one) => sum + one, 0),
    hostIdleTicks: (ticks[3] ?? 0) + (ticks[4] ?? 0),
  };
}
