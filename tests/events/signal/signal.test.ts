// Signals sent with each of the calls there are, and who they were for.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Call } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, identityOf, kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["signal", "exit"] as const;
const SIGCONT = 18;
const SIGKILL = 9;
const ESRCH = -3n;
/** Above what the kernel gives out (PID_MAX_LIMIT is 4,194,304). */
const NOBODY = 5_000_000;

const cases = [
  { deed: "kill", call: Call.KILL, asked: (pid: number) => ({ requestedPid: pid, requestedTid: 0 }) },
  { deed: "tkill", call: Call.TKILL, asked: (pid: number) => ({ requestedPid: 0, requestedTid: pid }) },
  { deed: "tgkill", call: Call.TGKILL, asked: (pid: number) => ({ requestedPid: pid, requestedTid: pid }) },
  { deed: "rt_sigqueueinfo", call: Call.RT_SIGQUEUEINFO, asked: (pid: number) => ({ requestedPid: pid }) },
  {
    deed: "rt_tgsigqueueinfo",
    call: Call.RT_TGSIGQUEUEINFO,
    asked: (pid: number) => ({ requestedPid: pid, requestedTid: pid }),
  },
  { deed: "pidfd_send_signal", call: Call.PIDFD_SEND_SIGNAL, asked: () => ({ requestedPid: 0, pidfd: 9 }) },
];

for (const { deed, call, asked } of cases) {
  kernelTest(`${deed} tells the signal and the process it was for`, async (t) => {
    const watch = watchKernel(t, { types: TYPES });
    const done = compileDeed(t, import.meta.dirname).do([deed]);
    const child = Number(done.stdout);
    const exit = await watch.event("exit", ({ pid }) => pid === child);
    const event = await watch.event("signal", ({ pid, data }) => pid === done.pid && data.signal === SIGCONT);
    t.like(event, { call, result: 0n });
    t.like(event.data, { ...asked(child), targetsSensor: false });
    t.like(event.data.target, { pid: child, startTimeNs: exit.startTimeNs });
    t.is(text(event.data.target?.name ?? new Uint8Array()), "deed");
    await watch.event("signal", ({ pid, data }) => pid === done.pid && data.signal === SIGKILL);
  });
}

kernelTest("groups are told as they were asked for", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const other = deed.do(["group"]);
  const group = await watch.event("signal", ({ pid }) => pid === other.pid);
  t.like(group.data, { requestedPid: -Number(other.stdout), signal: SIGCONT, target: undefined, targetsSensor: false });
  const own = deed.do(["own-group"]);
  const { data } = await watch.event("signal", ({ pid }) => pid === own.pid);
  t.like(data, { requestedPid: 0, signal: SIGCONT, target: undefined });
});

kernelTest("a signal to nobody fails, and a question is told as one", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const nobody = deed.do(["number", String(NOBODY), "9"]);
  const failed = await watch.event("signal", ({ pid }) => pid === nobody.pid);
  t.is(failed.result, ESRCH);
  t.like(failed.data, { requestedPid: NOBODY, signal: SIGKILL, target: undefined });
  const asking = deed.do(["number", String(process.pid), "0"]);
  const asked = await watch.event("signal", ({ pid }) => pid === asking.pid);
  t.like(asked, { result: 0n });
  t.like(asked.data, { signal: 0 });
  t.is(asked.data.target?.pid, process.pid);
});

kernelTest("what a process sends its own threads is counted as filtered", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const before = watch.ledger("signal").filtered;
  const done = compileDeed(t, import.meta.dirname).do(["thread"]);
  await watch.ended(done.pid);
  t.deepEqual(
    watch.of("signal", ({ pid }) => pid === done.pid),
    [],
  );
  t.true(watch.ledger("signal").filtered > before);
  await watch.probe.stop();
  t.true(balances(watch.ledger("signal")));
});

/** A process that sleeps, in a group of its own. */
async function sleeper(t: ExecutionContext): Promise<ChildProcess & { pid: number }> {
  const child = spawn("sleep", ["60"], { detached: true });
  t.teardown(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return child as ChildProcess & { pid: number };
}

kernelTest("a stranger's signal to the sensor is told apart, by number and by group; another's is not", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const [own, other] = [await sleeper(t), await sleeper(t)];
  watch.probe.setOwnProcesses([identityOf(own.pid)]);
  for (const [number, isTold] of [
    [own.pid, true],
    [-own.pid, true],
    [other.pid, false],
    [-other.pid, false],
  ] as const) {
    const done = deed.do(["number", String(number), String(SIGCONT)]);
    const { data } = await watch.event("signal", ({ pid }) => pid === done.pid);
    t.is(data.targetsSensor, isTold, String(number));
  }
});

kernelTest("who has the number of a former process of the sensor is not the sensor", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const other = await sleeper(t);
  const identity = identityOf(other.pid);
  watch.probe.setOwnProcesses([{ ...identity, startTicks: identity.startTicks - 1n }]);
  const done = deed.do(["number", String(other.pid), String(SIGCONT)]);
  t.false((await watch.event("signal", ({ pid }) => pid === done.pid)).data.targetsSensor);
});

kernelTest("what the sensor does to itself, or has just started a process to do, is no attack", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const own = await sleeper(t);
  watch.probe.setOwnProcesses([identityOf(own.pid), identityOf(process.pid)]);
  const done = deed.do(["number", String(own.pid), String(SIGCONT)]);
  t.false((await watch.event("signal", ({ pid }) => pid === done.pid)).data.targetsSensor);
});
