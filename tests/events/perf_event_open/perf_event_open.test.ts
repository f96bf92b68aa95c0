// A process has its page faults counted, and what it asked for is read back.
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

const SOFTWARE = 1;
const PAGE_FAULTS = 2n;
const CLOSE_ON_EXEC = 8n;

kernelTest("what is counted, of whom and where", async (t) => {
  const watch = watchKernel(t, { types: ["perfEventOpen"] });
  const done = compileDeed(t, import.meta.dirname).do([]);
  const { call, result, data } = await watch.event("perfEventOpen", ({ pid }) => pid === done.pid);
  t.like({ call, result }, { call: Call.PERF_EVENT_OPEN, result: BigInt(done.stdout) });
  t.like(data, { type: SOFTWARE, config: PAGE_FAULTS, watchedPid: done.pid, cpu: -1, groupFd: -1 });
  t.is(data.flags, CLOSE_ON_EXEC);
});
