// The clock is set by someone who may not, in each way there is, and the tries are read back.
import { Call } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, watchKernel } from "../support/kernel.ts";

const ADJ_TICK = 0x4000;
const ADJ_OFFSET = 1;
const EPERM = -1n;

kernelTest("four ways to set the clock, and one to ask", async (t) => {
  const watch = watchKernel(t, { types: ["settime"] });
  const done = compileDeed(t, import.meta.dirname).do([]);
  const events = await waitFor(
    () => {
      const all = watch.of("settime", ({ pid }) => pid === done.pid);
      return all.length >= 4 ? all : undefined;
    },
    { what: "all four tries are seen" },
  );
  t.is(done.status, 0);
  t.is(done.stdout, "-1 -1 -1 -1");
  t.deepEqual(
    events.map(({ call, result, data }) => [call, result, data.clock, data.timeUnixNs, data.adjustments]),
    [
      [Call.SETTIMEOFDAY, EPERM, 0, 1_000_000_005_000n, 0],
      [Call.CLOCK_SETTIME, EPERM, 0, 2_000_000_000_007n, 0],
      [Call.ADJTIMEX, EPERM, 0, 0n, ADJ_TICK],
      [Call.CLOCK_ADJTIME, EPERM, 0, 0n, ADJ_OFFSET],
    ],
  );
  await watch.probe.stop();
  t.true(watch.ledger("settime").filtered >= 1n, "who asks is no event");
  t.true(balances(watch.ledger("settime")));
});
