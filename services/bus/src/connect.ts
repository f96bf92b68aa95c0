// The bus's own connections: each lives as long as the server it was made to.
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { pause } from "@nightjar/stage";
import { inboxPrefix, type KeyName } from "./grants.ts";
import type { Key } from "./keys.ts";
import { LOOPBACK } from "./port.ts";

/** Reading a large store back may take long; a server that is not there after this is started anew. */
const UP_MS_MAX = 120_000;
const CONNECT_MS_MAX = 2_000;
const RETRY_MS = 10;

/** Tries until the server takes the key of `name`; undefined when `signal` is aborted first. Rejects after a bound. */
export async function connectWhenUp(
  port: number,
  name: KeyName,
  keys: ReadonlyMap<KeyName, Key>,
  signal: AbortSignal,
): Promise<NatsConnection | undefined> {
  const key = keys.get(name);
  if (!key) throw new TypeError(`there is no key of ${name}`);
  let cause: unknown;
  for (const deadline = Date.now() + UP_MS_MAX; Date.now() < deadline; await pause(RETRY_MS, signal)) {
    if (signal.aborted) return undefined;
    try {
      return await connect({
        servers: `${LOOPBACK}:${port}`,
        authenticator: nkeyAuthenticator(key.seed),
        name: `nightjar-${name}`,
        inboxPrefix: inboxPrefix(name),
        // A new server is a new life with new connections.
        reconnect: false,
        timeout: CONNECT_MS_MAX,
      });
    } catch (error) {
      cause = error;
    }
  }
  throw new Error(`the server did not come up within ${UP_MS_MAX} ms`, { cause });
}
