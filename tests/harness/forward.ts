// Carries connections from one place to another as they are, in the test's own process or in another network namespace.
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Server, type Socket } from "node:net";

/** An address, or the path of a Unix socket, which is the same in all network namespaces. */
export type Place = Pick<ListenOptions, "host" | "port" | "path">;

/** Joins two sockets: what comes from one goes to the other, and both end together. */
export type Join = (from: Socket, to: Socket) => void;

const joinPlainly: Join = (from, to) => {
  from.pipe(to);
  to.pipe(from);
};

/** Takes connections at one place and makes one to the other for each. Resolves when it listens. */
export async function forward(from: Place, to: () => Place, join: Join = joinPlainly): Promise<Forwarding> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: () => Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      other().destroy();
    });
  };
  const server: Server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...to(), allowHalfOpen: true } as NetConnectOpts);
    keep(near, () => far);
    keep(far, () => near);
    join(near, far);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(from, resolve);
  });
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

export interface Forwarding {
  /** Ends the connections there are; new ones are taken. */
  cut(): void;
  close(): void;
}

/** "host:port" or a path. */
export function placeOf(text: string): Place {
  if (text.startsWith("/")) return { path: text };
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}
