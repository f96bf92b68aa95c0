// New sessions and process groups, with whose they are and who leads them.
import { readFileSync } from "node:fs";
import { Call } from "@nightjar/proto";
import { compileDeed, run } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "exit", "setGroup"] as const;

const sessionOf = () => Number(readFileSync("/proc/self/stat", "utf8").split(" ")[5]);

kernelTest("setsid makes its caller the leader of session and group", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["session"]);
  const child = Number(done.stdout);
  const event = await watch.event("setGroup", ({ pid }) => pid === child);
  t.like(event, { call: Call.SETSID, result: BigInt(child) });
  t.like(event.data, { requestedPid: 0, requestedGroup: 0, processGroupId: child, sessionId: child });
  t.like(event.data, { namespacedProcessGroupId: child, namespacedSessionId: child });
  t.like(event.data.target, { pid: child, startTimeNs: event.startTimeNs });
});

kernelTest("setpgid on a child tells whose group changed", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["group"]);
  const child = Number(done.stdout);
  const event = await watch.event("setGroup", ({ pid }) => pid === done.pid);
  const exit = await watch.event("exit", ({ pid }) => pid === child);
  t.like(event, { call: Call.SETPGID, result: 0n });
  t.like(event.data, { requestedPid: child, requestedGroup: 0, processGroupId: child, sessionId: sessionOf() });
  t.like(event.data.target, { pid: child, startTimeNs: exit.startTimeNs });
  t.is(text(event.data.target?.name ?? new Uint8Array()), "deed");
});

kernelTest("in a pid namespace of its own, numbers there and numbers here are told apart", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const done = run("unshare", ["--pid", "--fork", deed.path, "session"]);
  const event = await watch.event("setGroup", ({ name, call }) => text(name) === "deed" && call === Call.SETSID);
  t.is(event.result, BigInt(done.stdout));
  t.like(event.data, { sessionId: event.pid, namespacedSessionId: Number(done.stdout) });
  t.not(event.pid, Number(done.stdout));
});

kernelTest("what is refused is told with the reason", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["refused"]);
  const event = await watch.event("setGroup", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.SETPGID, result: -3n });
  t.like(event.data, { requestedPid: 1, requestedGroup: 0 });
  t.is(event.data.target?.pid, 1);
});
