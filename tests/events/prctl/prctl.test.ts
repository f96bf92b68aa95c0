// What processes change of themselves with prctl.
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, THREAD_TYPES, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "fork", "exit", ...THREAD_TYPES] as const;
const PR_SET_NAME = 15;
const EINVAL = -22n;

const changes = [
  { what: "PR_SET_PDEATHSIG", option: 1, argument: 9, result: 0n },
  { what: "PR_SET_DUMPABLE", option: 4, argument: 0, result: 0n },
  { what: "PR_SET_KEEPCAPS", option: 8, argument: 1, result: 0n },
  { what: "PR_CAPBSET_DROP", option: 24, argument: 5, result: 0n },
  { what: "PR_SET_CHILD_SUBREAPER", option: 36, argument: 1, result: 0n },
  { what: "PR_SET_NO_NEW_PRIVS", option: 38, argument: 1, result: 0n },
  { what: "PR_SET_SECCOMP with a mode there is not", option: 22, argument: 99, result: EINVAL },
];

for (const { what, option, argument, result } of changes) {
  kernelTest(`${what} is told`, async (t) => {
    const watch = watchKernel(t, { types: TYPES });
    const done = compileDeed(t, import.meta.dirname).do([String(option), String(argument)]);
    const event = await watch.event("prctl", ({ pid }) => pid === done.pid);
    t.like(event, { call: Call.PRCTL, result });
    t.like(event.data, { option, argument2: BigInt(argument), argument3: 0n, name: new Uint8Array() });
  });
}

kernelTest("a process that renames itself is told with both names", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["name"]);
  await watch.ended(done.pid);
  const events = watch.of("prctl", ({ pid }) => pid === done.pid);
  t.deepEqual(
    events.map(({ data, name }) => [data.option, text(data.nameBefore), text(data.name), text(name)]),
    [
      [PR_SET_NAME, "deed", "first", "first"],
      [PR_SET_NAME, "first", "second-of-16-by", "second-of-16-by"],
    ],
  );
});

kernelTest("questions and names of further threads are counted as filtered", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname);
  for (const what of ["ask", "thread"]) {
    const before = watch.ledger("prctl").filtered;
    const done = deed.do([what]);
    await watch.ended(done.pid);
    t.deepEqual(
      watch.of("prctl", ({ pid }) => pid === done.pid),
      [],
    );
    t.true(watch.ledger("prctl").filtered > before);
  }
  await watch.probe.stop();
  t.true(balances(watch.ledger("prctl")));
});
