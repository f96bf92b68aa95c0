// The far end of the network: what becomes of bytes there, beyond what packet filters can do.
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { moment } from "@nightjar/test-support";
import type { Join } from "../harness/forward.ts";
import type { Identity } from "./certificates.ts";

/** How much of a slow reader's buffer is read at once. */
const SLOW_READ_BYTES = 16 * 1024;

/** Each byte arrives so many ms after it was sent, both ways. */
export function delayed(ms: number): Join {
  return (from, to) => {
    void carry(from, to, ms);
    void carry(to, from, ms);
  };
}

async function carry(from: Socket, to: Socket, ms: number): Promise<void> {
  const end = () => to.end();
  from.on("end", () => void moment(ms).then(end));
  from.on("data", (chunk) => void moment(ms).then(() => !to.destroyed && to.write(chunk)));
}

/** Once so many bytes of the sensor's have passed, `act` is called, in the middle of what it sends. */
export function afterBytes(bytes: number, act: () => void): Join {
  let left = bytes;
  return (from, to) => {
    to.pipe(from);
    from.pipe(to);
    from.on("data", (chunk) => {
      const before = left;
      left -= chunk.length;
      if (before > 0 && left <= 0) act();
    });
  };
}

/** Reads what the sensor sends a little at a time. */
export function slowly(pauseMs: number): Join {
  return (from, to) => {
    to.pipe(from);
    from.on("end", () => to.end());
    from.on("readable", () => void readSlowly(from, to, pauseMs));
  };
}

async function readSlowly(from: Socket, to: Socket, pauseMs: number): Promise<void> {
  for (
    let chunk = from.read(SLOW_READ_BYTES) ?? from.read();
    chunk;
    chunk = from.read(SLOW_READ_BYTES) ?? from.read()
  ) {
    to.write(chunk);
    await moment(pauseMs);
  }
}

/** Somebody answers with a certificate of his own. */
export function impostor({ key, cert }: Identity): Join {
  return (from) => {
    const secure = new TLSSocket(from, { isServer: true, key, cert, ALPNProtocols: ["h2"] });
    secure.on("error", () => undefined);
  };
}
