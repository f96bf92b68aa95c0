// Pairs of sockets are made, or refused, and both descriptors are read back.
import { Call, DescriptorType } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, type Watch, watchKernel } from "../support/kernel.ts";
import { AF_INET, AF_UNIX, numbers, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM } from "../support/sockets.ts";

const TYPES = ["socketpair"] as const;
const EOPNOTSUPP = 95n;

async function make(t: ExecutionContext, watch: Watch, family: number, type: number): Promise<Seen<"socketpair">> {
  const done = compileDeed(t, import.meta.dirname).do([String(family), String(type)]);
  const [result = 0, fd = 0, otherFd = 0] = numbers(done.stdout);
  const event = await watch.event("socketpair", ({ pid }) => pid === done.pid);
  t.like(event, { parentPid: process.pid, call: Call.SOCKETPAIR, result: BigInt(result) });
  t.like(event.data, { fd, otherFd, domain: family, requestedType: type });
  return event;
}

kernelTest("both descriptors of a pair, and what they are", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data, result } = await make(t, watch, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC);
  t.is(result, 0n);
  t.not(data.fd, data.otherFd);
  t.like(data, { socketType: SOCK_DGRAM, closeOnExec: true, nonblocking: false });
  t.like(data.descriptor, { type: DescriptorType.UNIX, family: AF_UNIX, socketType: SOCK_DGRAM });
});

kernelTest("a pair that cannot be", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data, result } = await make(t, watch, AF_INET, SOCK_STREAM);
  t.is(result, -EOPNOTSUPP);
  t.like(data, { fd: -1, otherFd: -1, descriptor: undefined });
});
