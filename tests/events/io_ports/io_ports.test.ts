// Ports of devices are asked for by someone who may not have them, and the tries are read back.
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, watchKernel } from "../support/kernel.ts";

kernelTest("some ports, and all", async (t) => {
  if (process.arch !== "x64") return void t.pass("only x86 has ports");
  const watch = watchKernel(t, { types: ["ioPorts"] });
  const done = compileDeed(t, import.meta.dirname).do([]);
  const [ports = 0, all = 0] = done.stdout.split(" ").map(Number);
  const some = await watch.event("ioPorts", ({ pid, call }) => pid === done.pid && call === Call.IOPERM);
  t.is(some.result, BigInt(ports));
  t.like(some.data, { firstPort: 0x378n, ports: 3n, allowed: true, level: 0 });
  const every = await watch.event("ioPorts", ({ pid, call }) => pid === done.pid && call === Call.IOPL);
  t.is(every.result, BigInt(all));
  t.like(every.data, { level: 3, ports: 0n, allowed: false });
  t.true(some.result < 0n && every.result < 0n);
});
