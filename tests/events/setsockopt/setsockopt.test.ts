// Options of sockets are set, or refused, and option and value are read back.
import { Call } from "@nightjar/proto";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { kernelTest, type Seen, type Watch, watchKernel } from "../support/kernel.ts";
import { AF_INET, AF_PACKET, numbers } from "../support/sockets.ts";

const TYPES = ["setsockopt"] as const;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ATTACH_FILTER = 26;
const UNKNOWN_OPTION = 9999;
const ENOPROTOOPT = 92n;
/** A struct sock_fprog: a length and a pointer. */
const FILTER_BYTES = 16;
/** OPTION_VALUE_SIZE_MAX of bpf/setsockopt.bpf.c. */
const VALUE_BYTES_MAX = 64;

async function set(t: ExecutionContext, watch: Watch, args: readonly (string | number)[]): Promise<Seen<"setsockopt">> {
  const done = compileDeed(t, import.meta.dirname).do(args.map(String));
  const [result = 0, fd = 0] = numbers(done.stdout);
  const event = await watch.event("setsockopt", ({ pid }) => pid === done.pid);
  t.like(event, { parentPid: process.pid, call: Call.SETSOCKOPT, result: BigInt(result) });
  t.is(event.data.fd, fd);
  return event;
}

kernelTest("an option and its value", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data, result } = await set(t, watch, [SOL_SOCKET, SO_REUSEADDR, 1, 4]);
  t.is(result, 0n);
  t.like(data, { level: SOL_SOCKET, optionName: SO_REUSEADDR, valueSize: 4, value: Uint8Array.of(1, 0, 0, 0) });
  t.is(data.descriptor?.family, AF_INET);
});

kernelTest("a filter on a packet socket", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { data, result } = await set(t, watch, [SOL_SOCKET, "filter", 0, 0]);
  t.is(result, 0n);
  t.like(data, { level: SOL_SOCKET, optionName: SO_ATTACH_FILTER, valueSize: FILTER_BYTES });
  t.is(data.descriptor?.family, AF_PACKET);
});

kernelTest("an option that is refused, and a value that is cut", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const size = VALUE_BYTES_MAX + 36;
  const { data, result } = await set(t, watch, [SOL_SOCKET, UNKNOWN_OPTION, 7, size]);
  t.is(result, -ENOPROTOOPT);
  t.is(data.valueSize, size);
  t.deepEqual(data.value, Uint8Array.of(7, ...new Uint8Array(VALUE_BYTES_MAX - 1)));
});
