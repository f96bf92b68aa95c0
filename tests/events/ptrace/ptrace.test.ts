// Processes that trace others, and whom.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Call } from "@nightjar/proto";
import { compileDeed, run } from "../support/deed.ts";
import { identityOf, kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["ptrace", "exec", "exit"] as const;
const PTRACE_TRACEME = 0n;
const PTRACE_POKEDATA = 5n;
const PTRACE_ATTACH = 16n;
const ESRCH = -3n;
/** Above what the kernel gives out (PID_MAX_LIMIT is 4,194,304). */
const NOBODY = 5_000_000;

kernelTest("attaching and writing tell the target, the address and the data", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["poke"]);
  const [child, address] = done.stdout.split(" ").map(Number);
  const exit = await watch.event("exit", ({ pid }) => pid === child);
  const attach = await watch.event("ptrace", ({ pid, data }) => pid === done.pid && data.request === PTRACE_ATTACH);
  t.like(attach, { call: Call.PTRACE, result: 0n });
  t.like(attach.data, { requestedPid: child, targetsSensor: false });
  t.like(attach.data.target, { pid: child, startTimeNs: exit.startTimeNs });
  t.is(text(attach.data.target?.name ?? new Uint8Array()), "deed");
  const poke = await watch.event("ptrace", ({ pid, data }) => pid === done.pid && data.request === PTRACE_POKEDATA);
  t.like(poke.data, { address: BigInt(address ?? 0), data: 7n });
});

kernelTest("who asks to be traced is its own target", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["me"]);
  const event = await watch.event("ptrace", ({ parentPid }) => parentPid === done.pid);
  t.like(event, { pid: Number(done.stdout), result: 0n });
  t.is(event.data.request, PTRACE_TRACEME);
  t.like(event.data.target, { pid: event.pid, startTimeNs: event.startTimeNs });
});

kernelTest("nobody is nobody, however high the number", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["nobody", String(NOBODY)]);
  const event = await watch.event("ptrace", ({ pid }) => pid === done.pid);
  t.is(event.result, ESRCH);
  t.like(event.data, { requestedPid: NOBODY, address: 0x10n, data: 0x20n, target: undefined });
});

kernelTest("in a pid namespace of its own the number is that namespace's, the target is who it is", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const done = run("unshare", ["--pid", "--fork", deed.path, "poke"]);
  const event = await watch.event(
    "ptrace",
    ({ name, data }) => text(name) === "deed" && data.request === PTRACE_ATTACH,
  );
  const inside = Number(done.stdout.split(" ")[0]);
  t.is(event.data.requestedPid, inside);
  const exit = await watch.event("exit", ({ parentPid, data }) => parentPid === event.pid && data.signal === 9);
  t.like(event.data.target, { pid: exit.pid, startTimeNs: exit.startTimeNs });
  t.not(exit.pid, inside);
});

kernelTest("a stranger who attaches to the sensor is told apart", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const own = spawn("sleep", ["60"]);
  t.teardown(() => void own.kill("SIGKILL"));
  await once(own, "spawn");
  watch.probe.setOwnProcesses([identityOf(own.pid ?? 0)]);
  const done = deed.do(["nobody", String(own.pid)]);
  const { data } = await watch.event("ptrace", ({ pid }) => pid === done.pid);
  t.true(data.targetsSensor);
  t.is(data.target?.pid, own.pid);
});
