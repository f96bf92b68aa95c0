// Why a kernel may refuse eBPF, looked up on this machine: what to check when loading fails.
import { existsSync, readFileSync } from "node:fs";

/** Bits in CapEff, from include/uapi/linux/capability.h. */
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function capabilityHint(): string | undefined {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(read("/proc/self/status"))?.[1] ?? "0"}`);
  const has = (bit: bigint) => ((mask >> bit) & 1n) === 1n;
  if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))) return undefined;
  return "capabilities: this process has neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON; run as root";
}

function lockdownHint(): string | undefined {
  const mode = /\[(\w+)\]/.exec(read("/sys/kernel/security/lockdown"))?.[1];
  if (mode !== "confidentiality") return undefined;
  return "lockdown: the kernel is locked down to confidentiality, which forbids reading kernel memory from eBPF";
}

function selinuxHint(): string | undefined {
  if (read("/sys/fs/selinux/enforce") !== "1") return undefined;
  return "SELinux: it enforces; look for denials of the class bpf (ausearch -m avc -ts recent)";
}

function btfHint(): string | undefined {
  if (existsSync("/sys/kernel/btf/vmlinux")) return undefined;
  return "kernel configuration: there is no /sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF is needed";
}

function containerHint(): string | undefined {
  const mode = /^Seccomp:\s*(\d)$/m.exec(read("/proc/self/status"))?.[1];
  return mode === "2" ? "seccomp: a filter is in force here, which may forbid the system call bpf" : undefined;
}

/** What speaks against eBPF on this machine; where nothing is found, what to look at. */
export function loadHints(): string[] {
  const found = [capabilityHint(), lockdownHint(), selinuxHint(), btfHint(), containerHint()].filter(
    (hint) => hint !== undefined,
  );
  if (found.length > 0) return found;
  return [
    "kernel configuration: CONFIG_BPF_SYSCALL and CONFIG_DEBUG_INFO_BTF are needed, from Linux 5.10 on; " +
      "check capabilities, SELinux and lockdown too",
  ];
}
