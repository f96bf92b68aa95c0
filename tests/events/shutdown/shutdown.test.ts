// Directions of a connection are ended, or there are none, and what was asked for is read back.
import { Call, DescriptorType } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, type Watch, watchKernel } from "../support/kernel.ts";
import { ENOTCONN, numbers } from "../support/sockets.ts";

const TYPES = ["shutdown"] as const;
const SHUT_WR = 1;
const SHUT_RDWR = 2;

async function shutdown(t: ExecutionContext, watch: Watch, what: string, how: number): Promise<Seen<"shutdown">> {
  const done = compileDeed(t, import.meta.dirname).do([what, String(how)]);
  const [result = 0, fd = 0] = numbers(done.stdout);
  const event = await watch.event("shutdown", ({ pid }) => pid === done.pid);
  t.like(event, { parentPid: process.pid, call: Call.SHUTDOWN, result: BigInt(result) });
  t.like(event.data, { fd, how });
  return event;
}

kernelTest("one direction of a connection", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data, result } = await shutdown(t, watch, "pair", SHUT_WR);
  t.is(result, 0n);
  t.is(data.descriptor?.type, DescriptorType.UNIX);
});

kernelTest("a socket that is not connected", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data, result } = await shutdown(t, watch, "alone", SHUT_RDWR);
  t.is(result, -ENOTCONN);
  t.is(data.descriptor?.type, DescriptorType.IPV4);
});
