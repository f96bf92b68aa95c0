// Memory of other processes read, written and advised on.
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["processMemory", "exit"] as const;
const MADV_COLD = 20;
const EFAULT = -14n;
const PAGE_BYTES = 4096n;

const cases = [
  { deed: "read", call: Call.PROCESS_VM_READV, sizeBytes: 8n, pieces: 2n, result: 8n },
  { deed: "write", call: Call.PROCESS_VM_WRITEV, sizeBytes: 8n, pieces: 1n, result: 8n },
];

for (const { deed, call, sizeBytes, pieces, result } of cases) {
  kernelTest(`${deed}: whose memory, where and how much`, async (t) => {
    const watch = watchKernel(t, { types: TYPES });
    const done = compileDeed(t, import.meta.dirname).do([deed]);
    const [child, address] = done.stdout.split(" ").map(Number);
    const exit = await watch.event("exit", ({ pid }) => pid === child);
    const event = await watch.event("processMemory", ({ pid }) => pid === done.pid);
    t.like(event, { call, result });
    t.like(event.data, { requestedPid: child, address: BigInt(address ?? 0), sizeBytes, pieces, targetsSensor: false });
    t.like(event.data.target, { pid: child, startTimeNs: exit.startTimeNs });
    t.is(text(event.data.target?.name ?? new Uint8Array()), "deed");
  });
}

kernelTest("process_madvise tells the process behind the descriptor", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["advise"]);
  const [child, address] = done.stdout.split(" ").map(Number);
  const exit = await watch.event("exit", ({ pid }) => pid === child);
  const event = await watch.event("processMemory", ({ pid }) => pid === done.pid);
  t.is(event.call, Call.PROCESS_MADVISE);
  t.like(event.data, { pidfd: 9, advice: MADV_COLD, address: BigInt(address ?? 0), sizeBytes: PAGE_BYTES, pieces: 1n });
  t.like(event.data.target, { pid: child, startTimeNs: exit.startTimeNs });
});

kernelTest("what fails is told with the reason", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const done = compileDeed(t, import.meta.dirname).do(["refused"]);
  const event = await watch.event("processMemory", ({ pid }) => pid === done.pid);
  t.like(event, { call: Call.PROCESS_VM_WRITEV, result: EFAULT });
  t.like(event.data, { address: 0n, sizeBytes: 0n });
});
