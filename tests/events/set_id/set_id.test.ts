// Ids changed with each of the calls there are, with what they were and what they became.
import { Call, type Credentials } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, THREAD_TYPES, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "fork", "exit", ...THREAD_TYPES] as const;
const KEEP = 4294967295;
const EPERM = -1n;
const ROOT = [0, 0, 0, 0];

/** Real, effective, saved, filesystem. */
const uids = (of: Credentials | undefined) => of && [of.realUid, of.effectiveUid, of.savedUid, of.filesystemUid];
const gids = (of: Credentials | undefined) => of && [of.realGid, of.effectiveGid, of.savedGid, of.filesystemGid];

const cases = [
  { deed: ["setuid", "5"], call: Call.SETUID, asked: { uid: 5 }, uid: [5, 5, 5, 5], gid: ROOT },
  { deed: ["setgid", "5"], call: Call.SETGID, asked: { gid: 5 }, uid: ROOT, gid: [5, 5, 5, 5] },
  {
    deed: ["setreuid", "5", "6"],
    call: Call.SETREUID,
    asked: { realUid: 5, effectiveUid: 6 },
    uid: [5, 6, 6, 6],
    gid: ROOT,
  },
  {
    deed: ["setregid", "-1", "6"],
    call: Call.SETREGID,
    asked: { realGid: KEEP, effectiveGid: 6 },
    uid: ROOT,
    gid: [0, 6, 6, 6],
  },
  {
    deed: ["setresuid", "5", "6", "7"],
    call: Call.SETRESUID,
    asked: { realUid: 5, effectiveUid: 6, savedUid: 7 },
    uid: [5, 6, 7, 6],
    gid: ROOT,
  },
  {
    deed: ["setresgid", "5", "6", "7"],
    call: Call.SETRESGID,
    asked: { realGid: 5, effectiveGid: 6, savedGid: 7 },
    uid: ROOT,
    gid: [5, 6, 7, 6],
  },
  { deed: ["setfsuid", "5"], call: Call.SETFSUID, asked: { uid: 5 }, uid: [0, 0, 0, 5], gid: ROOT },
  { deed: ["setfsgid", "5"], call: Call.SETFSGID, asked: { gid: 5 }, uid: ROOT, gid: [0, 0, 0, 5] },
  { deed: ["setgroups", "2"], call: Call.SETGROUPS, asked: { groupCount: 2 }, uid: ROOT, gid: ROOT },
];

for (const {
  deed: [name = "", ...values],
  call,
  asked,
  uid,
  gid,
} of cases) {
  kernelTest(`${name} tells what was asked for, what was and what is`, async (t) => {
    const watch = watchKernel(t, { types: TYPES });
    const done = compileDeed(t, import.meta.dirname).do([name, ...values]);
    const event = await watch.event("setId", ({ pid }) => pid === done.pid);
    t.like(event, { tid: done.pid, call, result: 0n, uid: uid[1], gid: gid[1] });
    t.is(text(event.name), "deed");
    t.like(event.data, { ...asked, beforeKnown: true });
    t.deepEqual([uids(event.data.before), gids(event.data.before)], [ROOT, ROOT]);
    t.deepEqual([uids(event.data.after), gids(event.data.after)], [uid, gid]);
  });
}

kernelTest("giving up root gives up its capabilities, and there is no way back", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["setuid", "5", "then", "setuid", "0"]);
  await watch.ended(done.pid);
  const [away, back] = watch.of("setId", ({ pid }) => pid === done.pid).map(({ data, result }) => ({ data, result }));
  t.true((away?.data.before?.capabilitiesEffective ?? 0n) > 0n);
  t.like(away?.data.after, { capabilitiesEffective: 0n, capabilitiesPermitted: 0n });
  t.is(away?.data.after?.capabilitiesBounding, away?.data.before?.capabilitiesBounding);
  t.is(back?.result, EPERM);
  t.true(back?.data.beforeKnown);
  t.deepEqual(back?.data.before, away?.data.after);
  t.deepEqual(back?.data.after, away?.data.after);
});

kernelTest("a child that never called exec is known from its fork", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  const done = deed.do(["setresuid", "0", "5", "0", "then", "fork", "setresuid", "6", "6", "6"]);
  const event = await watch.event("setId", ({ parentPid }) => parentPid === done.pid);
  t.true(event.data.beforeKnown);
  t.deepEqual(uids(event.data.before), [0, 5, 0, 5]);
  t.deepEqual(uids(event.data.after), [0, 5, 0, 5], "without a capability 6 is out of reach");
  t.is(event.result, EPERM);
});

kernelTest("what changes ids must be looked at from the beginning, or what was is not known", async (t) => {
  const watch = watchKernel(t, { types: ["exec", "exit", "setId"] });
  const done = compileDeed(t, import.meta.dirname).do(["setuid", "5"]);
  const { data } = await watch.event("setId", ({ pid }) => pid === done.pid);
  t.false(data.beforeKnown);
  t.is(data.before, undefined);
  t.deepEqual(uids(data.after), [5, 5, 5, 5]);
  await watch.probe.stop();
  t.true(balances(watch.ledger("setId")));
});
