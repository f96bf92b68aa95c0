// Root directories changed, and what they are then.
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["chroot", "exit"] as const;
const ENOENT = -2n;

kernelTest("chroot tells the new root", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const folder = temporaryFolder(t);
  const done = compileDeed(t, import.meta.dirname).do(["chroot", `${folder}/.`]);
  const event = await watch.event("chroot", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.CHROOT, result: 0n });
  t.deepEqual([event.data.requested, event.data.path].map(text), [`${folder}/.`, folder]);
});

kernelTest("chroot to what is not there is told", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["chroot", "/nowhere"]);
  const event = await watch.event("chroot", ({ pid }) => pid === done.pid);
  t.is(event.result, ENOENT);
  t.deepEqual([event.data.requested, event.data.path].map(text), ["/nowhere", ""]);
});

kernelTest("pivot_root tells both directories, and the new root is the root", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["pivot", temporaryFolder(t)]);
  t.is(done.status, 0);
  const event = await watch.event("chroot", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.PIVOT_ROOT, result: 0n });
  t.deepEqual([event.data.requested, event.data.requestedOld, event.data.path].map(text), [".", "old", "/"]);
});
