// What the files of /proc and /sys say of this machine that matters to a probe.
import { existsSync, readFileSync } from "node:fs";
import { missingRights } from "../supervisor/rights.ts";
import type { DoctorCode } from "./codes.ts";

export interface Found {
  /** What was looked at, for a person. */
  what: string;
  /** What is there. */
  is: string;
  /** Undefined where all is well. */
  code?: DoctorCode;
}

const CAP_SYS_RESOURCE = 24n;
const BPF_FOLDER = "/sys/fs/bpf";

/** The file's text; empty where it is not there or may not be read. */
type Read = (path: string) => string;

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
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
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(read("/proc/self/status"))?.[1] ?? "0"}`);
  if (limit === "unlimited") return { what: "locked memory", is: limit };
  const raisable = ((effective >> CAP_SYS_RESOURCE) & 1n) === 1n;
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
  const release = read("/proc/sys/kernel/osrelease").trim();
  const types = existsSync("/sys/kernel/btf/vmlinux") ? "with types" : "without types";
  return [
    { what: "kernel", is: `${release}, ${process.arch}, ${types}` },
    rights(read),
    lockdown(read),
    bpfFileSystem(read),
    lockedMemory(read),
    ...otherInterfaces(read),
  ];
}
