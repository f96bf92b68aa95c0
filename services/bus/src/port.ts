// The port the server listens on: the last one, so that clients find it again, or a free one.
import { createServer } from "node:net";

export const LOOPBACK = "127.0.0.1";
const PORT_MAX = 65535;

/** `last`, the contents of the port file, when it names a port that is free; any free one otherwise. */
export async function choosePort(last: string | undefined): Promise<number> {
  const port = Number(last);
  const usable = Number.isInteger(port) && port > 0 && port <= PORT_MAX;
  return (usable ? await probe(port) : undefined) ?? (await freePort());
}

async function freePort(): Promise<number> {
  const port = await probe(0);
  if (port === undefined) throw new Error("no free port on loopback");
  return port;
}

/** The port when it could be taken; undefined when it is in use. */
function probe(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      const taken = typeof address === "object" && address ? address.port : undefined;
      server.close(() => resolve(taken));
    });
  });
}
