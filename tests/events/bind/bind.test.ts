// Sockets are given addresses, or are refused them; the address asked for and the one got are read back.
import { join } from "node:path";
import { Call, DescriptorType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EADDRNOTAVAIL,
  EBADF,
  LOOPBACK_4,
  LOOPBACK_6,
  NOTHING,
  numbers,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../support/sockets.ts";

const TYPES = ["bind"] as const;

interface Bound {
  event: Seen<"bind">;
  port: number;
}

async function bind(
  t: ExecutionContext,
  watch: Watch,
  [family, type, address, asked]: readonly [number, number | "bad", string, number],
): Promise<Bound> {
  const done = compileDeed(t, import.meta.dirname).do([family, type, address, asked].map(String));
  const [result = 0, fd = 0, port = 0] = numbers(done.stdout);
  const event = await watch.event("bind", ({ pid }) => pid === done.pid);
  t.like(event, { parentPid: process.pid, call: Call.BIND, result: BigInt(result) });
  t.like(event.data, { fd, requestedFamily: family });
  return { event, port };
}

kernelTest("any port is asked for, and one is got", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { event, port } = await bind(t, watch, [AF_INET, SOCK_STREAM, "127.0.0.1", 0]);
  t.is(event.result, 0n);
  t.true(port > 0);
  t.like(event.data.requested, { address: LOOPBACK_4, port: 0 });
  t.like(event.data.descriptor, { type: DescriptorType.IPV4, socketType: SOCK_STREAM, isServer: false });
  t.like(event.data.descriptor?.local, { address: LOOPBACK_4, port });
  t.is(event.data.descriptor?.remote, undefined);
});

kernelTest("UDP over IPv6, on all addresses and on one", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const all = await bind(t, watch, [AF_INET6, SOCK_DGRAM, "::", 0]);
  t.like(all.event.data.descriptor?.local, { address: new Uint8Array(16), port: all.port });
  const one = await bind(t, watch, [AF_INET6, SOCK_DGRAM, "::1", 0]);
  t.like(one.event.data.descriptor?.local, { address: LOOPBACK_6, port: one.port });
});

kernelTest("a unix socket by its path, and in the abstract namespace", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "socket");
  const named = await bind(t, watch, [AF_UNIX, SOCK_STREAM, path, 0]);
  t.is(text(named.event.data.requested?.path ?? NOTHING), path);
  t.is(text(named.event.data.descriptor?.local?.path ?? NOTHING), path);
  const name = `nightjar-bind-${process.pid}`;
  const abstract = await bind(t, watch, [AF_UNIX, SOCK_STREAM, `@${name}`, 0]);
  t.is(text(abstract.event.data.descriptor?.local?.path ?? NOTHING), `\0${name}`);
});

kernelTest("an address of another host, and a descriptor that is none", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const foreign = await bind(t, watch, [AF_INET, SOCK_STREAM, "192.0.2.1", 8080]);
  t.is(foreign.event.result, -EADDRNOTAVAIL);
  t.like(foreign.event.data.requested, { address: Uint8Array.of(192, 0, 2, 1), port: 8080 });
  t.is(foreign.event.data.descriptor?.local, undefined);
  const bad = await bind(t, watch, [AF_INET, "bad", "127.0.0.1", 80]);
  t.is(bad.event.result, -EBADF);
  t.like(bad.event.data, { descriptor: undefined });
  t.like(bad.event.data.requested, { address: LOOPBACK_4, port: 80 });
});
