// Datagrams are sent by every call there is, or cannot be, and where they went and what they held is read back.
import { Call, DropReason } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";
import { AF_INET, AF_INET6, IPPROTO_UDP, LOOPBACK_4, LOOPBACK_6, numbers, SOCK_DGRAM } from "../support/sockets.ts";

const TYPES = ["send", "exit"] as const;
const MSG_NOSIGNAL = 0x4000;
const EVERYTHING = { tcp: true, datagram: true, unix: true, other: true };
const EACCES = 13n;
/** MESSAGES_MAX of bpf/message.h. */
const MESSAGES_MAX = 8;

interface Sent {
  pid: number;
  events: Seen<"send">[];
  port: number;
  remotePort: number;
}

async function send(
  t: ExecutionContext,
  watch: Watch,
  args: readonly [call: string, family: number, address: string, port: number, count: number],
): Promise<Sent> {
  const done = compileDeed(t, import.meta.dirname).do(args.map(String));
  const [result = 0, fd = 0, port = 0, remotePort = 0] = numbers(done.stdout);
  await watch.ended(done.pid);
  const events = watch.of("send", ({ pid }) => pid === done.pid);
  for (const event of events) {
    t.like(event, { parentPid: process.pid, result: BigInt(result) });
    t.like(event.data, { fd, flags: MSG_NOSIGNAL });
    t.like(event.data.descriptor, { socketType: SOCK_DGRAM, protocol: IPPROTO_UDP });
  }
  return { pid: done.pid, events, port, remotePort };
}

kernelTest("sendto and sendmsg without a connection: the peer is the one of the message", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const four = await send(t, watch, ["sendto", AF_INET, "127.0.0.1", 0, 1]);
  t.is(four.events.length, 1);
  t.like(four.events[0], { call: Call.SENDTO });
  t.like(four.events[0]?.data, { size: 5n, messageIndex: 0 });
  t.is(four.events[0]?.data.data.length, 0);
  t.is(four.events[0]?.data.descriptor?.connected, false);
  t.like(four.events[0]?.data.descriptor?.remote, { address: LOOPBACK_4, port: four.remotePort });
  t.is(four.events[0]?.data.descriptor?.local?.port, four.port);
  const six = await send(t, watch, ["sendmsg", AF_INET6, "::1", 0, 1]);
  t.like(six.events[0], { call: Call.SENDMSG });
  t.is(six.events[0]?.data.size, 11n);
  t.like(six.events[0]?.data.descriptor?.remote, { address: LOOPBACK_6, port: six.remotePort });
});

kernelTest("a connected socket's peer is its own", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { events, remotePort } = await send(t, watch, ["send", AF_INET, "127.0.0.1", 0, 1]);
  t.like(events[0]?.data.descriptor, { connected: true });
  t.like(events[0]?.data.descriptor?.remote, { address: LOOPBACK_4, port: remotePort });
});

kernelTest("each message of sendmmsg, and those beyond the limit are counted", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const few = await send(t, watch, ["sendmmsg", AF_INET, "127.0.0.1", 0, 3]);
  t.deepEqual(
    few.events.map(({ call, data }) => [call, data.messageIndex, data.size]),
    [0, 1, 2].map((index) => [Call.SENDMMSG, index, 11n]),
  );
  for (const { data } of few.events) t.like(data.descriptor?.remote, { port: few.remotePort });
  const many = await send(t, watch, ["sendmmsg", AF_INET, "127.0.0.1", 0, MESSAGES_MAX + 2]);
  t.is(many.events.length, MESSAGES_MAX);
  await watch.probe.stop();
  t.is(watch.ledger("send").drops.get(DropReason.TOO_MANY_MESSAGES), 2n);
  t.true(balances(watch.ledger("send")));
});

kernelTest("the data, up to as many bytes as are asked for", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  watch.probe.setMessageInterest({ ...EVERYTHING, dataBytes: 8 });
  const { events } = await send(t, watch, ["sendmsg", AF_INET, "127.0.0.1", 0, 1]);
  t.is(text(events[0]?.data.data ?? new Uint8Array()), "hello wo");
  watch.probe.setMessageInterest({ ...EVERYTHING, dataBytes: 4096 });
  const whole = await send(t, watch, ["sendmmsg", AF_INET, "127.0.0.1", 0, 2]);
  t.deepEqual(
    whole.events.map(({ data }) => text(data.data)),
    ["hello world", "hello world"],
  );
});

kernelTest("what cannot be sent is told with where it should have gone", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  // The loopback's own broadcast address: a machine without a network has no route to any other.
  const { events } = await send(t, watch, ["sendto", AF_INET, "127.255.255.255", 9, 1]);
  t.like(events[0], { result: -EACCES });
  t.like(events[0]?.data.descriptor?.remote, { address: Uint8Array.of(127, 255, 255, 255), port: 9 });
});

kernelTest("what no one wants of it is filtered and counted", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  watch.probe.setMessageInterest({ ...EVERYTHING, datagram: false });
  const { events } = await send(t, watch, ["sendto", AF_INET, "127.0.0.1", 0, 1]);
  t.deepEqual(events, []);
  await waitFor(() => watch.ledger("send").filtered > 0n, { what: "it is counted" });
  t.throws(() => watch.probe.setMessageInterest({ ...EVERYTHING, dataBytes: 4097 }), { instanceOf: RangeError });
  await watch.probe.stop();
  t.true(balances(watch.ledger("send")));
});
