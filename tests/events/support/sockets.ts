// Numbers and addresses that tests of network events share, and servers for their deeds.
import { once } from "node:events";
import { createServer, type ListenOptions, type Server } from "node:net";
import type { ExecutionContext } from "ava";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const LOOPBACK_4 = Uint8Array.of(127, 0, 0, 1);
export const LOOPBACK_6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
export const NOTHING = new Uint8Array();
export const EPERM = 1n;
export const ENOENT = 2n;
export const EBADF = 9n;
export const EAGAIN = 11n;
export const EAFNOSUPPORT = 97n;
export const EADDRNOTAVAIL = 99n;
export const ENOTCONN = 107n;
export const ECONNREFUSED = 111n;
export const EINPROGRESS = 115n;

/** The numbers that a deed printed. */
export function numbers(stdout: string): number[] {
  return stdout.split(" ").map(Number);
}

/** A server that ends each connection; it ends with the test. */
export async function listen(t: ExecutionContext, options: ListenOptions): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => undefined).destroy()).listen(options);
  t.teardown(() => void server.close());
  await once(server, "listening");
  return server;
}

export const portOf = (server: Server): number => (server.address() as { port: number }).port;

/** A port at which nobody listens any more. */
export async function freePort(t: ExecutionContext): Promise<number> {
  const server = await listen(t, { host: "127.0.0.1", port: 0 });
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}
