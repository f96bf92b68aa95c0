// Page faults are to be handled by a process, and what it asked for is read back.
import { constants } from "node:fs";
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

const O_CLOEXEC = 0o2000000;
const EINVAL = 22n;

for (const { what, flags, works } of [
  { what: "a descriptor for page faults", flags: constants.O_NONBLOCK | O_CLOEXEC, works: true },
  { what: "flags that there are not", flags: 0x4000_0000, works: false },
]) {
  kernelTest(what, async (t) => {
    const watch = watchKernel(t, { types: ["userfaultfd"] });
    const done = compileDeed(t, import.meta.dirname).do([String(flags)]);
    const { call, result, data } = await watch.event("userfaultfd", ({ pid }) => pid === done.pid);
    t.like({ call, result }, { call: Call.USERFAULTFD, result: BigInt(done.stdout) });
    t.is(data.flags, flags);
    t.true(works ? result > 2n : result === -EINVAL);
  });
}
