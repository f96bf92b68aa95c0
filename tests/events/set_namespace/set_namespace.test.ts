// Namespaces left for new ones and for others, with those before and after.
import { readlinkSync } from "node:fs";
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, THREAD_TYPES, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "fork", "exit", ...THREAD_TYPES] as const;
const CLONE_NEWUTS = 0x04000000n;
const CLONE_NEWIPC = 0x08000000n;
const CLONE_NEWUSER = 0x10000000n;
const CLONE_NEWPID = 0x20000000n;
const EBADF = -9n;

const namespaceOf = (name: string): number => Number(/\[(\d+)\]/.exec(readlinkSync(`/proc/self/ns/${name}`))?.[1]);

kernelTest("unshare tells which namespaces are new", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["uts"]);
  const { data, ...event } = await watch.event("setNamespace", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.UNSHARE, result: 0n });
  t.like(data, { flags: CLONE_NEWUTS | CLONE_NEWIPC, beforeKnown: true, requestedNamespace: 0n });
  const same = {
    mount: namespaceOf("mnt"),
    pid: namespaceOf("pid"),
    pidForChildren: namespaceOf("pid_for_children"),
    network: namespaceOf("net"),
    user: namespaceOf("user"),
    cgroup: namespaceOf("cgroup"),
    time: namespaceOf("time"),
  };
  t.like(data.before, { ...same, uts: namespaceOf("uts"), ipc: namespaceOf("ipc") });
  t.like(data.after, { ...same, uts: Number(done.stdout) });
  t.not(data.after?.ipc, data.before?.ipc);
});

kernelTest("setns tells the namespace that was asked for and the way back", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["back"]);
  const { data, ...event } = await watch.event(
    "setNamespace",
    ({ pid, call }) => pid === done.pid && call === Call.SETNS,
  );
  t.is(event.result, 0n);
  t.like(data, { flags: CLONE_NEWUTS, fd: 9, requestedNamespace: BigInt(namespaceOf("uts")), beforeKnown: true });
  t.is(data.before?.uts, Number(done.stdout));
  t.is(data.after?.uts, namespaceOf("uts"));
});

kernelTest("a new user namespace brings all capabilities in it", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["user"]);
  const { data } = await watch.event("setNamespace", ({ pid }) => pid === done.pid);
  t.is(data.flags, CLONE_NEWUSER);
  t.is(data.before?.user, namespaceOf("user"));
  t.not(data.after?.user, namespaceOf("user"));
  t.true((data.credentials?.capabilitiesEffective ?? 0n) >= (data.credentials?.capabilitiesInheritable ?? 0n));
  t.is(data.credentials?.capabilitiesEffective, data.credentials?.capabilitiesPermitted);
});

kernelTest("a new pid namespace is for children only", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["pid"]);
  const { data } = await watch.event("setNamespace", ({ pid }) => pid === done.pid);
  t.is(data.flags, CLONE_NEWPID);
  t.is(data.after?.pid, namespaceOf("pid"));
  t.not(data.after?.pidForChildren, namespaceOf("pid"));
});

kernelTest("a descriptor that is none is told", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["refused"]);
  const { data, ...event } = await watch.event("setNamespace", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.SETNS, result: EBADF });
  t.like(data, { fd: 99, requestedNamespace: 0n });
  t.deepEqual(data.after, data.before);
});
