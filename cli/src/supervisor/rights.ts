// Whether this process may load eBPF programs, and how to say that it may not.
import { readFileSync } from "node:fs";

const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

/** What a person can check when the kernel refuses, and what works without it. */
export const WHAT_TO_CHECK = `  what to check:
    capabilities   run it as root (sudo ./nightjar run), or with CAP_BPF and CAP_PERFMON; in a container: --privileged
    SELinux        \`getenforce\`; with Enforcing, \`ausearch -m avc -c node\` shows a refusal
    lockdown       \`cat /sys/kernel/security/lockdown\` must not say [confidentiality]
    kernel         5.10 or later with CONFIG_BPF_SYSCALL=y and CONFIG_DEBUG_INFO_BTF=y (/sys/kernel/btf/vmlinux exists)
  without eBPF, \`nightjar run --replay FILE\` plays a recording through all stages`;

/** Why eBPF cannot be loaded by this process, undefined when nothing speaks against it. */
export function missingRights(status = readFileSync("/proc/self/status", "utf8")): string | undefined {
  const effective = BigInt(`0x${status.match(/^CapEff:\s*([0-9a-f]+)$/m)?.[1] ?? "0"}`);
  const has = (capability: bigint) => ((effective >> capability) & 1n) === 1n;
  if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))) return undefined;
  return `failed loading ebpf skeleton: EPERM (errno 1): this process may not load eBPF programs\n${WHAT_TO_CHECK}`;
}
