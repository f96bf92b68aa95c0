// Tested: what the files of a machine say is put under the right code, and nothing is found where all is well.
import test from "ava";
import { lookAtMachine } from "./machine.ts";

const ROOT_STATUS = "CapEff:\t000001ffffffffff\n";
const FINE: Readonly<Record<string, string>> = {
  "/proc/self/status": ROOT_STATUS,
  "/proc/self/mounts": "bpf /sys/fs/bpf bpf rw 0 0\n",
  "/proc/self/limits": "Max locked memory         8388608              8388608              bytes\n",
  "/sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
};

const codesWith = (changed: Readonly<Record<string, string>>) =>
  lookAtMachine((path) => ({ ...FINE, ...changed })[path] ?? "").flatMap(({ code }) => (code ? [code] : []));

test("on a machine that has all nothing is found", (t) => {
  t.deepEqual(codesWith({}), []);
});

test("each lack has its code", (t) => {
  t.deepEqual(codesWith({ "/proc/self/mounts": "proc /proc proc rw 0 0\n" }), ["BPFFS_MISSING"]);
  t.deepEqual(codesWith({ "/proc/self/status": "CapEff:\t0000000000000000\n" }), [
    "RIGHTS_MISSING",
    "LOCKED_MEMORY_LIMITED",
  ]);
  t.deepEqual(codesWith({ "/sys/kernel/security/lockdown": "none integrity [confidentiality]\n" }), ["LOCKED_DOWN"]);
  if (process.arch === "x64") {
    t.deepEqual(codesWith({ "/proc/kallsyms": "0 T x32_sys_call\n" }), ["X32_CALLS_POSSIBLE"]);
  }
});
