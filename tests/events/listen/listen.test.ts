// Sockets begin to listen, or cannot, and the end they listen on is read back.
import { Call, DescriptorType } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  LOOPBACK_4,
  NOTHING,
  numbers,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../support/sockets.ts";

const TYPES = ["listen"] as const;
const EOPNOTSUPP = 95n;
const BACKLOG = 17;

async function listenAt(
  t: ExecutionContext,
  watch: Watch,
  [family, type, address]: readonly [number, number, string],
): Promise<{ event: Seen<"listen">; port: number }> {
  const done = compileDeed(t, import.meta.dirname).do([family, type, address, BACKLOG].map(String));
  const [result = 0, fd = 0, port = 0] = numbers(done.stdout);
  const event = await watch.event("listen", ({ pid }) => pid === done.pid);
  t.like(event, { parentPid: process.pid, call: Call.LISTEN, result: BigInt(result) });
  t.like(event.data, { fd, backlog: BACKLOG });
  return { event, port };
}

kernelTest("TCP over both families: the local end is the server's", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const four = await listenAt(t, watch, [AF_INET, SOCK_STREAM, "127.0.0.1"]);
  t.is(four.event.result, 0n);
  t.like(four.event.data.descriptor, { type: DescriptorType.IPV4, isServer: true, connected: false });
  t.like(four.event.data.descriptor?.local, { address: LOOPBACK_4, port: four.port });
  const six = await listenAt(t, watch, [AF_INET6, SOCK_STREAM, "::"]);
  t.like(six.event.data.descriptor, { type: DescriptorType.IPV6, isServer: true });
  t.like(six.event.data.descriptor?.local, { address: new Uint8Array(16), port: six.port });
});

kernelTest("a unix socket", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const name = `nightjar-listen-${process.pid}`;
  const { event } = await listenAt(t, watch, [AF_UNIX, SOCK_STREAM, `@${name}`]);
  t.like(event.data.descriptor, { type: DescriptorType.UNIX, isServer: true });
  t.is(text(event.data.descriptor?.local?.path ?? NOTHING), `\0${name}`);
});

kernelTest("a socket without connections cannot listen", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { event, port } = await listenAt(t, watch, [AF_INET, SOCK_DGRAM, "127.0.0.1"]);
  t.is(event.result, -EOPNOTSUPP);
  t.like(event.data.descriptor, { isServer: false, socketType: SOCK_DGRAM });
  t.is(event.data.descriptor?.local?.port, port);
});
