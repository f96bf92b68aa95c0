// Connections are made, refused and ended, and each change of state is read back with the process whose socket it is.
import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { Call } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, type Seen, type Watch, watchKernel } from "../support/kernel.ts";
import {
  AF_INET,
  AF_INET6,
  ECONNREFUSED,
  freePort,
  IPPROTO_TCP,
  LOOPBACK_4,
  LOOPBACK_6,
  listen,
  numbers,
  portOf,
} from "../support/sockets.ts";

const TYPES = ["tcpState"] as const;
const ESTABLISHED = 1;
const SYN_SENT = 2;
const SYN_RECV = 3;
const CLOSE = 7;
const LISTEN = 10;
/** What the deed sends. */
const HELLO_BYTES = 5n;

type State = Seen<"tcpState">;

const local = ({ data }: State): number => data.descriptor?.local?.port ?? 0;
const remote = ({ data }: State): number => data.descriptor?.remote?.port ?? 0;
const steps = (events: readonly State[]) => events.map(({ data }) => [data.oldState, data.newState]);

interface Connection {
  pid: number;
  client: State[];
  server: State[];
}

/** Has the deed connect, and gives all changes of both sockets. */
async function connect(
  t: ExecutionContext,
  watch: Watch,
  [family, address, port]: readonly [number, string, number],
): Promise<Connection> {
  const done = compileDeed(t, import.meta.dirname).do([family, address, port].map(String));
  const [own = 0] = numbers(done.stdout);
  // Its port is chosen behind the first change.
  const client = () => watch.of("tcpState", (event) => [0, own].includes(local(event)) && remote(event) === port);
  await waitFor(() => client().some(({ data }) => data.newState === CLOSE), { what: "the connection has ended" });
  const server = () => watch.of("tcpState", (event) => local(event) === port && remote(event) === own);
  await waitFor(() => server().some(({ data }) => data.newState === CLOSE), { what: "both ends have ended" });
  return { pid: done.pid, client: client(), server: server() };
}

kernelTest("a connection's life belongs to the process that connected", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const port = portOf(await listen(t, { host: "127.0.0.1", port: 0 }));
  const { pid, client } = await connect(t, watch, [AF_INET, "127.0.0.1", port]);
  t.deepEqual(steps(client).slice(0, 2), [
    [CLOSE, SYN_SENT],
    [SYN_SENT, ESTABLISHED],
  ]);
  for (const event of client) {
    t.like(event, { pid, parentPid: process.pid, call: Call.INET_SOCK_SET_STATE, result: 0n });
    t.like(event.data.descriptor, { family: AF_INET, protocol: IPPROTO_TCP, isServer: false });
    t.like(event.data.descriptor?.remote, { address: LOOPBACK_4 });
  }
  t.true(client.some(({ data }) => data.acknowledgedBytes > HELLO_BYTES));
});

kernelTest("a connection from outside belongs to the process that listens", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const server = createServer((socket) => socket.resume()).listen({ host: "::1", port: 0 });
  t.teardown(() => void server.close());
  await once(server, "listening");
  const port = portOf(server);
  const listening = await watch.event("tcpState", (event) => local(event) === port && event.data.newState === LISTEN);
  t.like(listening, { pid: process.pid });
  t.like(listening.data, { oldState: CLOSE, error: 0 });
  t.like(listening.data.descriptor, { isServer: true, family: AF_INET6 });
  const accepted = await connect(t, watch, [AF_INET6, "::1", port]);
  t.true(accepted.server.some(({ data }) => data.oldState === SYN_RECV && data.newState === ESTABLISHED));
  for (const event of accepted.server) {
    t.is(event.pid, process.pid);
    t.true(event.data.descriptor?.isServer);
    t.like(event.data.descriptor?.local, { address: LOOPBACK_6, port });
  }
  // The end of a connection counts as a byte.
  t.is(accepted.server.at(-1)?.data.receivedBytes, HELLO_BYTES + 1n);
  server.close();
  await once(server, "close");
  const closed = await watch.event("tcpState", (event) => local(event) === port && event.data.oldState === LISTEN);
  t.is(closed.pid, process.pid);
});

kernelTest("what becomes of a connection in progress: refused", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const port = await freePort(t);
  const { pid } = compileDeed(t, import.meta.dirname).do([AF_INET, "127.0.0.1", port].map(String));
  const refused = await watch.event("tcpState", (event) => event.pid === pid && event.data.newState === CLOSE);
  const client = watch.of("tcpState", (event) => event.pid === pid);
  t.deepEqual(steps(client), [
    [CLOSE, SYN_SENT],
    [SYN_SENT, CLOSE],
  ]);
  t.is(refused.data.error, Number(ECONNREFUSED));
  t.is(remote(refused), port);
});

kernelTest("a connection that was there before is known when its process ends it", async (t) => {
  const server = await listen(t, { host: "127.0.0.1", port: 0 });
  const socket = createConnection({ host: "127.0.0.1", port: portOf(server), allowHalfOpen: true });
  t.teardown(() => void socket.destroy());
  await once(socket, "connect");
  const own = socket.localPort;
  const watch = watchKernel(t, { types: TYPES });
  socket.destroy();
  const closing = await watch.event("tcpState", (event) => local(event) === own && event.data.oldState !== LISTEN);
  t.is(closing.pid, process.pid);
  await watch.probe.stop();
  t.true(balances(watch.ledger("tcpState")));
});
