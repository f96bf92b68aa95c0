// Tested: what the files of a machine say is put under the right code, and nothing is found where all is well.
import test from "ava";
import { lookAtMachine } from "./machine.ts";

const ROOT_STATUS = "CapEff:\t000001ffffffffff\n";
const BPF = "bpf /sys/fs/bpf bpf rw 0 0\n";
const FINE: Readonly<Record<string, string>> = {
  "/proc/self/status": ROOT_STATUS,
  "/proc/self/mounts": `${BPF}cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n`,
  "/proc/self/limits": "Max locked memory         8388608              8388608              bytes\n",
  "/sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
};

const codesWith = (changed: Readonly<Record<string, string>>) =>
  lookAtMachine((path) => ({ ...FINE, ...changed })[path] ?? "").flatMap(({ code }) => (code ? [code] : []));

test("on a machine that has all nothing is found", (t) => {
  t.deepEqual(codesWith({}), []);
});

test("each lack has its code", (t) => {
  t.deepEqual(codesWith({ "/proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n" }), ["BPFFS_MISSING"]);
  t.deepEqual(codesWith({ "/proc/self/status": "CapEff:\t0000000000000000\n" }), [
    "RIGHTS_MISSING",
    "CAPABILITIES_FEW",
    "LOCKED_MEMORY_LIMITED",
  ]);
  t.deepEqual(codesWith({ "/sys/kernel/security/lockdown": "none integrity [confidentiality]\n" }), ["LOCKED_DOWN"]);
  t.deepEqual(codesWith({ "/proc/sys/kernel/osrelease": "5.4.0-1-generic\n" }), ["KERNEL_TOO_OLD"]);
  t.deepEqual(codesWith({ "/proc/sys/kernel/osrelease": "5.10.0-1-amd64\n" }), []);
  t.deepEqual(codesWith({ "/sys/fs/selinux/enforce": "1\n" }), ["SECURITY_MODULE_ENFORCES"]);
  t.deepEqual(codesWith({ "/sys/fs/selinux/enforce": "0\n" }), []);
  t.deepEqual(codesWith({ "/proc/self/attr/apparmor/current": "nightjar (enforce)\n" }), ["SECURITY_MODULE_ENFORCES"]);
  t.deepEqual(codesWith({ "/proc/self/attr/apparmor/current": "unconfined\n" }), []);
  t.deepEqual(codesWith({ "/proc/self/mounts": `${BPF}cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n` }), ["CGROUPS_OLD"]);
  if (process.arch === "x64") {
    t.deepEqual(codesWith({ "/proc/kallsyms": "0 T x32_sys_call\n" }), ["X32_CALLS_POSSIBLE"]);
  }
});
