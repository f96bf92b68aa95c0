// A swap area that is none is switched on and off, and the tries are read back.
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const PREFER_7 = 0x8007;

kernelTest("a swap area that is not there", async (t) => {
  const watch = watchKernel(t, { types: ["swap"] });
  const path = join(temporaryFolder(t), "swap");
  const done = compileDeed(t, import.meta.dirname).do([path]);
  const [on = 0, off = 0] = done.stdout.split(" ").map(Number);
  for (const [call, result, flags] of [
    [Call.SWAPON, on, PREFER_7],
    [Call.SWAPOFF, off, 0],
  ] as const) {
    const event = await watch.event("swap", (seen) => seen.pid === done.pid && seen.call === call);
    t.is(event.result, BigInt(result));
    t.true(event.result < 0n);
    t.is(text(event.data.requested), path);
    t.is(event.data.flags, flags);
  }
});
