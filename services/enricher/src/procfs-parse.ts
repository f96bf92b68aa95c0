// Reads the texts of /proc/PID. Pure: proc(5), and in the kernel fs/proc/array.c, kernel/cgroup/cgroup.c.

/** What /proc/PID/stat has of interest. */
export interface ProcfsStat {
  name: Uint8Array;
  parentPid: number;
  processGroupId: number;
  sessionId: number;
  /** As Exec has it: major << 8 | minor. */
  tty: number;
  startTicks: number;
  /** A thread of the kernel: it has no executable, no arguments and no descriptors. */
  isKernelThread: boolean;
}

/** What /proc/PID/status has of interest. */
export interface ProcfsStatus {
  /** Real, effective, saved, filesystem. */
  uids: readonly number[];
  gids: readonly number[];
  namespacedPid: number;
  namespacedProcessGroupId: number;
  namespacedSessionId: number;
  capabilitiesInheritable: bigint;
  capabilitiesPermitted: bigint;
  capabilitiesEffective: bigint;
}

/** PF_KTHREAD, include/linux/sched.h. */
const KERNEL_THREAD_FLAG = 0x0020_0000;
const OPEN = 0x28;
const CLOSE = 0x29;

/** Undefined where it is none. The name may contain anything, so it ends at the last parenthesis. */
export function parseStat(bytes: Uint8Array): ProcfsStat | undefined {
  const open = bytes.indexOf(OPEN);
  const close = bytes.lastIndexOf(CLOSE);
  if (open < 0 || close < open) return undefined;
  // Fields 3 (state) and on of proc_pid_stat(5).
  const fields = latin1(bytes.subarray(close + 2)).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  const startTicks = field(22);
  if (!Number.isSafeInteger(startTicks)) return undefined;
  return {
    name: new Uint8Array(bytes.subarray(open + 1, close)),
    parentPid: field(4),
    processGroupId: field(5),
    sessionId: field(6),
    tty: decodeTty(field(7)),
    startTicks,
    isKernelThread: (field(9) & KERNEL_THREAD_FLAG) !== 0,
  };
}

/** stat has a device as new_encode_dev makes it: minor 0 to 7, major 8 to 19, the rest of minor from 20 on. */
function decodeTty(device: number): number {
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return (major << 8) | minor;
}

/** Majors of terminals, Documentation/admin-guide/devices.txt, and how the kernel names the minors of each. */
const TERMINALS: ReadonlyMap<number, (minor: number) => string> = new Map([
  [4, (minor: number) => (minor < SERIAL_MINOR_MIN ? `tty${minor}` : `ttyS${minor - SERIAL_MINOR_MIN}`)],
  [229, (minor: number) => `hvc${minor}`],
  ...Array.from({ length: 8 }, (_, at) => [136 + at, (minor: number) => `pts${at * 256 + minor}`] as const),
]);
const SERIAL_MINOR_MIN = 64;

/** The name of a terminal's device, given as Exec has it, as the kernel has it ("pts3"); empty where not known. */
export function terminalName(tty: number): string {
  return TERMINALS.get(tty >>> 8)?.(tty & 0xff) ?? "";
}

/** Undefined where it is none. */
export function parseStatus(bytes: Uint8Array): ProcfsStatus | undefined {
  const text = latin1(bytes);
  const values = (key: string): string[] => {
    const start = text.indexOf(`\n${key}:`);
    if (start < 0) return [];
    const from = start + key.length + 2;
    return text.slice(from, text.indexOf("\n", from)).trim().split(/\s+/);
  };
  const mask = (key: string) => BigInt(`0x${values(key)[0] ?? "0"}`);
  const uids = values("Uid").map(Number);
  const gids = values("Gid").map(Number);
  if (uids.length !== 4 || gids.length !== 4) return undefined;
  return {
    uids,
    gids,
    namespacedPid: Number(values("NSpid").at(-1) ?? 0),
    namespacedProcessGroupId: Number(values("NSpgid").at(-1) ?? 0),
    namespacedSessionId: Number(values("NSsid").at(-1) ?? 0),
    capabilitiesInheritable: mask("CapInh"),
    capabilitiesPermitted: mask("CapPrm"),
    capabilitiesEffective: mask("CapEff"),
  };
}

/** The path of the v2 node; where that is the root, of the first v1 hierarchy that is elsewhere. */
export function parseCgroup(bytes: Uint8Array): Uint8Array {
  const lines = latin1(bytes)
    .split("\n")
    .map((line) => /^(\d+):[^:]*:(.*)$/.exec(line))
    .filter((match) => match !== null);
  const v2First = lines.sort((left, right) => Number(left[1] !== "0") - Number(right[1] !== "0"));
  const chosen = v2First.find((match) => match[2] !== "/") ?? v2First[0];
  return Buffer.from(chosen?.[2] ?? "", "latin1");
}

/** Arguments of /proc/PID/cmdline: each ends with a NUL byte, the last perhaps not. */
export function parseArguments(bytes: Uint8Array, bytesMax: number): { args: Uint8Array[]; truncated: boolean } {
  const args: Uint8Array[] = [];
  const limit = Math.min(bytes.length, bytesMax);
  for (let start = 0; start < limit; ) {
    const nul = bytes.indexOf(0, start);
    const end = nul < 0 || nul > limit ? limit : nul;
    args.push(new Uint8Array(bytes.subarray(start, end)));
    start = end + 1;
  }
  return { args, truncated: bytes.length > bytesMax };
}

/** The number in a link like "mnt:[4026531841]", 0 where there is none. */
export function parseNamespace(link: Uint8Array): number {
  return Number(/\[(\d+)\]$/.exec(latin1(link))?.[1] ?? 0);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
