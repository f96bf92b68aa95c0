// Connections are taken, or there are none to take, and both their ends are read back.
import { Call, DescriptorType } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, type Watch, watchKernel } from "../support/kernel.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EAGAIN,
  LOOPBACK_4,
  LOOPBACK_6,
  numbers,
  SOCK_CLOEXEC,
} from "../support/sockets.ts";

const TYPES = ["accept"] as const;
/** What the deed asks of listen(2). */
const BACKLOG = 7;

interface Accepted {
  event: Seen<"accept">;
  port: number;
  clientPort: number;
  clientPid: number;
}

async function accept(
  t: ExecutionContext,
  watch: Watch,
  [call, family, address, flags]: readonly [string, number, string, number],
): Promise<Accepted> {
  const done = compileDeed(t, import.meta.dirname).do([call, family, address, flags].map(String));
  const [result = 0, listeningFd = 0, port = 0, clientPort = 0, clientPid = 0] = numbers(done.stdout);
  const event = await watch.event("accept", ({ pid }) => pid === done.pid);
  t.like(event, { parentPid: process.pid, result: BigInt(result) });
  t.like(event.data, { fd: result < 0 ? listeningFd : result, listeningFd, queueLength: 0, queueMax: BACKLOG });
  return { event, port, clientPort, clientPid };
}

kernelTest("accept and accept4 over both families: the server is the local end", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const four = await accept(t, watch, ["accept4", AF_INET, "127.0.0.1", SOCK_CLOEXEC]);
  t.is(four.event.call, Call.ACCEPT4);
  t.is(four.event.data.flags, SOCK_CLOEXEC);
  t.like(four.event.data.descriptor, { type: DescriptorType.IPV4, isServer: true, connected: true });
  t.like(four.event.data.descriptor?.local, { address: LOOPBACK_4, port: four.port });
  t.like(four.event.data.descriptor?.remote, { address: LOOPBACK_4, port: four.clientPort });
  const six = await accept(t, watch, ["accept", AF_INET6, "::1", 0]);
  t.is(six.event.call, Call.ACCEPT);
  t.is(six.event.data.flags, 0);
  t.like(six.event.data.descriptor?.local, { address: LOOPBACK_6, port: six.port });
  t.like(six.event.data.descriptor?.remote, { address: LOOPBACK_6, port: six.clientPort });
});

kernelTest("of a unix socket: the process that connected", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { event, clientPid } = await accept(t, watch, ["accept", AF_UNIX, `@nightjar-accept-${process.pid}`, 0]);
  t.like(event.data.descriptor, { type: DescriptorType.UNIX, isServer: true });
  t.is(event.data.peerPid, clientPid);
});

kernelTest("nobody to take", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { event, port } = await accept(t, watch, ["none", AF_INET, "127.0.0.1", 0]);
  t.is(event.result, -EAGAIN);
  t.like(event.data.descriptor, { isServer: true, connected: false });
  t.is(event.data.descriptor?.local?.port, port);
});

kernelTest("what is sent later is the server's on the accepted end, the client's on the other", async (t) => {
  const watch = watchKernel(t, { types: ["accept", "send"] });
  for (const [family, address] of [
    [AF_INET, "127.0.0.1"],
    [AF_INET6, "::1"],
    [AF_UNIX, `@nightjar-sends-${process.pid}`],
  ] as const) {
    const { event, clientPid } = await accept(t, watch, ["accept4", family, address, 0]);
    const server = await watch.event("send", ({ pid }) => pid === event.pid);
    const client = await watch.event("send", ({ pid }) => pid === clientPid);
    t.true(server.data.descriptor?.isServer, address);
    t.false(client.data.descriptor?.isServer, address);
  }
});
