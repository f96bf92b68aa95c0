// Sockets of every family connect, or are refused, and both their ends are read back.
import { join } from "node:path";
import { Call } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EBADF,
  ECONNREFUSED,
  EINPROGRESS,
  ENOENT,
  freePort,
  IPPROTO_TCP,
  IPPROTO_UDP,
  LOOPBACK_4,
  LOOPBACK_6,
  listen,
  NOTHING,
  numbers,
  portOf,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "../support/sockets.ts";

const TYPES = ["connect"] as const;

interface Connected {
  event: Seen<"connect">;
  /** The port of the socket's own end, by its own account. */
  port: number;
}

async function connect(
  t: ExecutionContext,
  watch: Watch,
  family: number,
  type: number | "bad",
  address: string,
  port = 0,
): Promise<Connected> {
  const deed = compileDeed(t, import.meta.dirname);
  const done = deed.do([String(family), String(type), address, String(port)]);
  const [result = 0, fd = 0, ownPort = 0] = numbers(done.stdout);
  const event = await watch.event("connect", ({ pid }) => pid === done.pid);
  t.like(event, { tid: done.pid, parentPid: process.pid, call: Call.CONNECT, result: BigInt(result) });
  t.is(event.data.fd, fd);
  return { event, port: ownPort };
}

kernelTest("TCP over IPv4: both ends", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const remote = portOf(await listen(t, { host: "127.0.0.1", port: 0 }));
  const { event, port } = await connect(t, watch, AF_INET, SOCK_STREAM, "127.0.0.1", remote);
  t.like(event.data, { family: AF_INET, socketType: SOCK_STREAM, protocol: IPPROTO_TCP });
  t.is(event.result, 0n);
  t.like(event.data.local, { address: LOOPBACK_4, port, path: NOTHING });
  t.like(event.data.remote, { address: LOOPBACK_4, port: remote, path: NOTHING });
});

kernelTest("TCP over IPv6: both ends", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const remote = portOf(await listen(t, { host: "::1", port: 0 }));
  const { event, port } = await connect(t, watch, AF_INET6, SOCK_STREAM, "::1", remote);
  t.like(event.data, { family: AF_INET6, socketType: SOCK_STREAM, protocol: IPPROTO_TCP });
  t.like(event.data.local, { address: LOOPBACK_6, port });
  t.like(event.data.remote, { address: LOOPBACK_6, port: remote });
});

kernelTest("an IPv4 address in an IPv6 socket is an IPv4 address", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const remote = portOf(await listen(t, { host: "127.0.0.1", port: 0 }));
  const { event, port } = await connect(t, watch, AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1", remote);
  t.is(event.data.family, AF_INET6);
  t.like(event.data.local, { address: LOOPBACK_4, port });
  t.like(event.data.remote, { address: LOOPBACK_4, port: remote });
});

kernelTest("a refused connection is told with the end that was asked for", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const remote = await freePort(t);
  const { event } = await connect(t, watch, AF_INET, SOCK_STREAM, "127.0.0.1", remote);
  t.is(event.result, -ECONNREFUSED);
  t.like(event.data.remote, { address: LOOPBACK_4, port: remote });
});

kernelTest("a connection in progress has its ends already", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const remote = portOf(await listen(t, { host: "127.0.0.1", port: 0 }));
  const { event, port } = await connect(t, watch, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, "127.0.0.1", remote);
  t.is(event.result, -EINPROGRESS);
  t.like(event.data, { socketType: SOCK_STREAM });
  t.like(event.data.local, { address: LOOPBACK_4, port });
  t.like(event.data.remote, { address: LOOPBACK_4, port: remote });
});

kernelTest("UDP", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { event, port } = await connect(t, watch, AF_INET, SOCK_DGRAM, "127.0.0.1", 53);
  t.like(event.data, { family: AF_INET, socketType: SOCK_DGRAM, protocol: IPPROTO_UDP });
  t.like(event.data.local, { address: LOOPBACK_4, port });
  t.like(event.data.remote, { address: LOOPBACK_4, port: 53 });
});

kernelTest("a unix socket by its path, and in the abstract namespace", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "socket");
  await listen(t, { path });
  const named = await connect(t, watch, AF_UNIX, SOCK_STREAM, path);
  t.is(named.event.result, 0n);
  t.like(named.event.data, { family: AF_UNIX, socketType: SOCK_STREAM });
  t.is(text(named.event.data.remote?.path ?? NOTHING), path);
  t.is(named.event.data.remote?.address.length, 0);
  t.is(named.event.data.peerPid, process.pid);
  const name = `nightjar-test-${process.pid}`;
  await listen(t, { path: `\0${name}` });
  const abstract = await connect(t, watch, AF_UNIX, SOCK_STREAM, `@${name}`);
  t.is(abstract.event.result, 0n);
  t.is(text(abstract.event.data.remote?.path ?? NOTHING), `\0${name}`);
});

kernelTest("a unix socket that is not there, and a descriptor that is none", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "nothing");
  const { event: missing } = await connect(t, watch, AF_UNIX, SOCK_STREAM, path);
  t.is(missing.result, -ENOENT);
  t.is(text(missing.data.remote?.path ?? NOTHING), path);
  const { event: bad } = await connect(t, watch, AF_INET, "bad", "127.0.0.1", 80);
  t.like(bad, { result: -EBADF });
  t.like(bad.data, { family: AF_INET, socketType: 0 });
  t.like(bad.data.remote, { address: LOOPBACK_4, port: 80 });
});
