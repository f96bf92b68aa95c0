// Capabilities given up and asked for, with what they were and what they became.
import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, THREAD_TYPES, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "fork", "exit", ...THREAD_TYPES] as const;
const EPERM = -1n;
const NOBODY = 65534;
/** CAP_KILL, and CAP_AUDIT_READ, which lies in the second half. */
const KILL = 1n << 5n;
const AUDIT_READ = 1n << 37n;

kernelTest("capabilities that are given up are told, with those that were", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const masks = [KILL, KILL | AUDIT_READ, 0n];
  const done = compileDeed(t, import.meta.dirname).do(masks.map(String));
  const event = await watch.event("capset", ({ pid }) => pid === done.pid);
  const asked = { effective: KILL, permitted: KILL | AUDIT_READ, inheritable: 0n };
  t.like(event, { tid: done.pid, call: Call.CAPSET });
  t.like(event.data, { ...asked, beforeKnown: true });
  const { before, after } = event.data;
  if (!before || !after) return t.fail();
  // A container may have no CAP_AUDIT_READ to keep.
  const isAllowed = ((before.capabilitiesPermitted >> 37n) & 1n) === 1n;
  t.is(event.result, isAllowed ? 0n : EPERM);
  t.true(before.capabilitiesEffective > KILL);
  if (isAllowed) t.like(after, { capabilitiesEffective: KILL, capabilitiesPermitted: KILL | AUDIT_READ });
  t.is(after.capabilitiesBounding, before.capabilitiesBounding);
});

kernelTest("capabilities that nobody gave cannot be taken", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  chmodSync(dirname(deed.path), 0o755);
  const done = deed.do([KILL, KILL, KILL].map(String), { uid: NOBODY, gid: NOBODY });
  const event = await watch.event("capset", ({ pid }) => pid === done.pid);
  t.like(event, { result: EPERM, uid: NOBODY });
  t.like(event.data, { effective: KILL, permitted: KILL, inheritable: KILL });
  t.deepEqual(event.data.after, event.data.before);
  t.is(event.data.after?.capabilitiesPermitted, 0n);
});
