// Sockets of many kinds are made, or refused, and what was asked for and what came of it is read back.
import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { Call, DescriptorType } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed, type DeedOptions } from "../support/deed.ts";
import { kernelTest, type Seen, type Watch, watchKernel } from "../support/kernel.ts";
import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  EAFNOSUPPORT,
  EPERM,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
} from "../support/sockets.ts";

const TYPES = ["socket"] as const;
const NOBODY = 65534;
/** ETH_P_ALL in network order. */
const ALL_PACKETS = 0x0300;
const FAMILY_UNKNOWN = 200;

async function make(
  t: ExecutionContext,
  watch: Watch,
  [family, type, protocol]: readonly [number, number, number],
  options: DeedOptions = {},
): Promise<Seen<"socket">> {
  const deed = compileDeed(t, import.meta.dirname);
  if (options.uid !== undefined) chmodSync(dirname(deed.path), 0o755);
  const done = deed.do([family, type, protocol].map(String), options);
  const event = await watch.event("socket", ({ pid, data }) => pid === done.pid && data.domain === family);
  const result = Number(done.stdout);
  t.like(event, { tid: done.pid, parentPid: process.pid, call: Call.SOCKET, result: BigInt(result) });
  t.like(event.data, { fd: result < 0 ? -1 : result, domain: family, requestedType: type, protocol });
  return event;
}

kernelTest("a TCP socket, its type apart from its flags", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data } = await make(t, watch, [AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0]);
  t.like(data, { socketType: SOCK_STREAM, nonblocking: true, closeOnExec: true });
  t.like(data.descriptor, { type: DescriptorType.IPV4, family: AF_INET, socketType: SOCK_STREAM });
  t.like(data.descriptor, { protocol: IPPROTO_TCP, connected: false, isServer: false });
  const plain = await make(t, watch, [AF_INET6, SOCK_DGRAM, 0]);
  t.like(plain.data, { socketType: SOCK_DGRAM, nonblocking: false, closeOnExec: false });
  t.is(plain.data.descriptor?.type, DescriptorType.IPV6);
});

kernelTest("raw, packet, netlink and unix sockets", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const raw = await make(t, watch, [AF_INET, SOCK_RAW, IPPROTO_ICMP]);
  t.like(raw.data.descriptor, { socketType: SOCK_RAW, protocol: IPPROTO_ICMP });
  const packet = await make(t, watch, [AF_PACKET, SOCK_RAW, ALL_PACKETS]);
  t.like(packet.data.descriptor, { type: DescriptorType.SOCKET, family: AF_PACKET, socketType: SOCK_RAW });
  const netlink = await make(t, watch, [AF_NETLINK, SOCK_RAW, 0]);
  t.like(netlink.data.descriptor, { type: DescriptorType.SOCKET, family: AF_NETLINK });
  const local = await make(t, watch, [AF_UNIX, SOCK_DGRAM, 0]);
  t.like(local.data.descriptor, { type: DescriptorType.UNIX, family: AF_UNIX, socketType: SOCK_DGRAM });
});

kernelTest("a socket that is refused is told with what was asked for", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const denied = await make(t, watch, [AF_PACKET, SOCK_RAW, ALL_PACKETS], { uid: NOBODY, gid: NOBODY });
  t.like(denied, { result: -EPERM, uid: NOBODY });
  t.like(denied.data, { socketType: SOCK_RAW, descriptor: undefined });
  const unknown = await make(t, watch, [FAMILY_UNKNOWN, SOCK_STREAM, 0]);
  t.is(unknown.result, -EAFNOSUPPORT);
});
