// What the files of /proc and /sys say of this machine that matters to a probe.
import { existsSync, readFileSync } from "node:fs";
import { missingRights } from "../supervisor/rights.ts";
import type { DoctorCode } from "./codes.ts";
import { appArmor, cgroups, selinux } from "./policies.ts";

export interface Found {
  /** What was looked at, for a person. */
  what: string;
  /** What is there. */
  is: string;
  /** Undefined where all is well. */
  code?: DoctorCode;
}

const KERNEL_MIN: readonly [major: number, minor: number] = [5, 10];
/** What the sensor asks of the kernel, by the numbers of capabilities(7), and whether it sees less without. */
const CAPABILITIES: readonly (readonly [name: string, number: bigint, isNeeded: boolean])[] = [
  ["CAP_DAC_READ_SEARCH", 2n, true],
  ["CAP_SYS_PTRACE", 19n, true],
  ["CAP_SYS_ADMIN", 21n, false],
  ["CAP_SYS_RESOURCE", 24n, false],
  ["CAP_PERFMON", 38n, false],
  ["CAP_BPF", 39n, false],
];
const CAP_SYS_RESOURCE = 24n;
const BPF_FOLDER = "/sys/fs/bpf";

/** The file's text; empty where it is not there or may not be read. */
export type Read = (path: string) => string;

export function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function kernel(read: Read): Found {
  const release = read("/proc/sys/kernel/osrelease").trim();
  const [major = 0, minor = 0] = release.split(".").map(Number.parseFloat);
  const types = existsSync("/sys/kernel/btf/vmlinux") ? "with types" : "without types";
  const found: Found = { what: "kernel", is: `${release}, ${process.arch}, ${types}` };
  const isOld = major < KERNEL_MIN[0] || (major === KERNEL_MIN[0] && minor < KERNEL_MIN[1]);
  return release !== "" && isOld ? { ...found, code: "KERNEL_TOO_OLD" } : found;
}

function effectiveCapabilities(read: Read): (number: bigint) => boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(read("/proc/self/status"))?.[1] ?? "0"}`);
  return (number) => ((effective >> number) & 1n) === 1n;
}

function capabilities(read: Read): Found {
  const has = effectiveCapabilities(read);
  const held = CAPABILITIES.filter(([, number]) => has(number));
  const is = held.map(([name]) => name).join(", ") || "none of those that the sensor uses";
  const isShort = CAPABILITIES.some(([, number, isNeeded]) => isNeeded && !has(number));
  return isShort ? { what: "capabilities", is, code: "CAPABILITIES_FEW" } : { what: "capabilities", is };
}

function rights(read: Read): Found {
  const missing = missingRights(read("/proc/self/status")) !== undefined;
  const who = process.getuid?.() === 0 ? "root" : `user ${process.getuid?.()}`;
  return missing
    ? { what: "rights", is: `${who}, without CAP_BPF and CAP_PERFMON`, code: "RIGHTS_MISSING" }
    : { what: "rights", is: `${who}, may load eBPF` };
}

function lockdown(read: Read): Found {
  const mode = /\[(\w+)\]/.exec(read("/sys/kernel/security/lockdown"))?.[1] ?? "none";
  return mode === "confidentiality"
    ? { what: "lockdown", is: mode, code: "LOCKED_DOWN" }
    : { what: "lockdown", is: mode };
}

function bpfFileSystem(read: Read): Found {
  const mounted = read("/proc/self/mounts")
    .split("\n")
    .some((line) => line.split(" ")[1] === BPF_FOLDER);
  return mounted
    ? { what: "BPF file system", is: BPF_FOLDER }
    : { what: "BPF file system", is: "not mounted", code: "BPFFS_MISSING" };
}

function lockedMemory(read: Read): Found {
  const limit = /^Max locked memory\s+\S+\s+(\S+)/m.exec(read("/proc/self/limits"))?.[1] ?? "unknown";
  if (limit === "unlimited") return { what: "locked memory", is: limit };
  const raisable = effectiveCapabilities(read)(CAP_SYS_RESOURCE);
  const is = `${limit} bytes${raisable ? ", can be raised" : ""}`;
  return raisable ? { what: "locked memory", is } : { what: "locked memory", is, code: "LOCKED_MEMORY_LIMITED" };
}

function otherInterfaces(read: Read): Found[] {
  if (process.arch !== "x64") return [];
  const symbols = read("/proc/kallsyms");
  // Debian's kernels have it, and a parameter by which it is off at first.
  const isOff = /^(N|0)/.test(read("/sys/module/syscall/parameters/x32"));
  const hasX32 = !isOff && /\b(x32_sys_call|__x32_compat_sys_\w+)\n/.test(symbols);
  const has32 = /\b__ia32_(compat_)?sys_\w+\n/.test(symbols);
  return [
    { what: "32-bit calls", is: has32 ? "possible, and read like the others" : "not in this kernel" },
    hasX32
      ? { what: "x32 calls", is: "possible", code: "X32_CALLS_POSSIBLE" }
      : { what: "x32 calls", is: "not in this kernel" },
  ];
}

/** Looks at everything that needs no program; `read` is for tests. */
export function lookAtMachine(read: Read = readFile): Found[] {
  return [
    kernel(read),
    rights(read),
    capabilities(read),
    lockdown(read),
    selinux(read),
    appArmor(read),
    cgroups(read),
    bpfFileSystem(read),
    lockedMemory(read),
    ...otherInterfaces(read),
  ];
}
