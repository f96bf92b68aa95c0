// Processes make others with each of the calls there are, and the forks are read back.
import { existsSync, readFileSync } from "node:fs";
import { Call } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, notHere, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["fork", "exit"] as const;

/** From include/uapi/linux/sched.h; the low byte of clone's flags is the signal at the child's end. */
const CLONE_VM = 0x100n;
const CLONE_FS = 0x200n;
const CLONE_FILES = 0x400n;
const CLONE_VFORK = 0x4000n;
const CLONE_PARENT = 0x8000n;
const CLONE_NEWPID = 0x20000000n;
const SIGCHLD = 17n;

/** As bpf/syscall.h asks it: 5.15 shows a program which call its task is in the middle of (dd6e10fbd9fb). */
const KERNEL_TYPES = "/sys/kernel/btf/vmlinux";
const showsCalls = existsSync(KERNEL_TYPES) && readFileSync(KERNEL_TYPES).includes("BPF_FUNC_task_pt_regs");

/** What is told of flags; nothing where the kernel does not show the call, which is said. */
function toldFlags(t: ExecutionContext, flags: bigint): bigint {
  if (!showsCalls) notHere(t, "which call it was, and its flags, are not told: no bpf_task_pt_regs");
  return showsCalls ? flags : 0n;
}

const calls = [
  { deed: "fork", call: Call.FORK, flags: 0n },
  { deed: "vfork", call: Call.VFORK, flags: CLONE_VFORK | CLONE_VM },
  { deed: "clone", call: Call.CLONE, flags: CLONE_FS | SIGCHLD },
  { deed: "clone3", call: Call.CLONE3, flags: CLONE_FILES },
];

for (const { deed: name, call, flags } of calls) {
  kernelTest(`${name} tells of parent and child`, async (t) => {
    const deed = compileDeed(t, import.meta.dirname);
    const watch = watchKernel(t, { types: TYPES });
    const done = deed.do([name]);
    const child = Number(done.stdout);
    const event = await watch.event("fork", ({ pid }) => pid === done.pid);
    t.like(event, { tid: done.pid, parentPid: process.pid, result: BigInt(child), uid: 0, gid: 0 });
    t.is(event.call, showsCalls ? call : Call.UNSPECIFIED);
    t.is(text(event.name), "deed");
    t.like(event.data, { childPid: child, childNamespacedPid: child, childParentPid: done.pid });
    t.is(event.data.flags, toldFlags(t, flags));
    t.is(event.data.childParentStartTimeNs, event.startTimeNs);
    const exit = await watch.event("exit", ({ pid }) => pid === child);
    t.is(exit.startTimeNs, event.data.childStartTimeNs);
    t.is(exit.parentPid, done.pid);
    t.is(exit.parentStartTimeNs, event.startTimeNs);
  });
}

kernelTest("with CLONE_PARENT the child's parent is the actor's own", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  const done = deed.do(["clone-parent"]);
  const { data, parentStartTimeNs } = await watch.event("fork", ({ pid }) => pid === done.pid);
  t.like(data, { flags: toldFlags(t, CLONE_PARENT | SIGCHLD), childParentPid: process.pid });
  t.is(data.childParentStartTimeNs, parentStartTimeNs);
});

kernelTest("the first process of a pid namespace is 1 there", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  const done = deed.do(["pid-namespace"]);
  const { data } = await watch.event("fork", ({ pid }) => pid === done.pid);
  t.like(data, { childPid: Number(done.stdout), childNamespacedPid: 1 });
  t.is(data.flags, toldFlags(t, CLONE_NEWPID | SIGCHLD));
});

kernelTest("a thread is no process: counted, not reported", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  const before = watch.ledger("fork").filtered;
  const done = deed.do(["thread"]);
  await watch.ended(done.pid);
  t.deepEqual(
    watch.of("fork", ({ pid }) => pid === done.pid),
    [],
  );
  t.true(watch.ledger("fork").filtered > before);
  await watch.probe.stop();
  t.true(balances(watch.ledger("fork")));
});
