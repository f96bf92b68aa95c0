// Datagrams are received by every call there is, or there are none, and where they came from is read back.
import { Call } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";
import { AF_INET, AF_INET6, EAGAIN, LOOPBACK_4, LOOPBACK_6, numbers } from "../support/sockets.ts";

const TYPES = ["receive", "exit"] as const;
/** What the deed has room for. */
const ROOM_BYTES = 100n;

interface Received {
  events: Seen<"receive">[];
  port: number;
  remotePort: number;
}

async function receive(
  t: ExecutionContext,
  watch: Watch,
  args: readonly [call: string, family: number, address: string, count: number],
): Promise<Received> {
  const done = compileDeed(t, import.meta.dirname).do(args.map(String));
  const [result = 0, fd = 0, port = 0, remotePort = 0] = numbers(done.stdout);
  await watch.ended(done.pid);
  const events = watch.of("receive", ({ pid }) => pid === done.pid);
  for (const event of events) {
    t.like(event, { parentPid: process.pid, result: BigInt(result) });
    t.like(event.data, { fd, size: ROOM_BYTES });
    t.is(event.data.descriptor?.local?.port, port);
  }
  return { events, port, remotePort };
}

kernelTest("recvfrom and recvmsg: the peer is the one of the message", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const four = await receive(t, watch, ["recvfrom", AF_INET, "127.0.0.1", 1]);
  t.like(four.events[0], { call: Call.RECVFROM, result: 5n });
  t.is(four.events[0]?.data.descriptor?.connected, false);
  t.like(four.events[0]?.data.descriptor?.remote, { address: LOOPBACK_4, port: four.remotePort });
  const six = await receive(t, watch, ["recvmsg", AF_INET6, "::1", 1]);
  t.like(six.events[0], { call: Call.RECVMSG, result: 5n });
  t.like(six.events[0]?.data.descriptor?.remote, { address: LOOPBACK_6, port: six.remotePort });
});

kernelTest("each message of recvmmsg, with its data where it is asked for", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  watch.probe.setMessageInterest({ tcp: true, datagram: true, unix: true, other: true, dataBytes: 80 });
  const { events, remotePort } = await receive(t, watch, ["recvmmsg", AF_INET, "127.0.0.1", 2]);
  t.deepEqual(
    events.map(({ call, data }) => [call, data.messageIndex, text(data.data), data.descriptor?.remote?.port]),
    [0, 1].map((index) => [Call.RECVMMSG, index, "hello", remotePort]),
  );
});

kernelTest("nothing to receive", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { events } = await receive(t, watch, ["nothing", AF_INET, "127.0.0.1", 0]);
  t.like(events[0], { call: Call.RECVFROM, result: -EAGAIN });
  t.is(events[0]?.data.descriptor?.remote, undefined);
});
