// One connection to the host's own bus: found by its address file, opened with the stage's key, kept for good.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import type { Logger } from "./log.ts";
import { readSmallFile, statePaths } from "./state-folder.ts";
import type { ClientName, StageName } from "./streams.ts";

const RECONNECT_WAIT_MS = 50;
const RECONNECT_JITTER_MS = 50;
const PING_INTERVAL_MS = 5_000;
const FIRST_CONNECT_WAIT_MS = 100;
const ADDRESS_CHECK_MS = 500;

export interface ConnectionOptions {
  stateDir: string;
  name: StageName | ClientName;
  /** Stops the waiting for a bus that does not come. */
  signal: AbortSignal;
  log?: Logger;
}

/** Under systemd each stage has its key as a credential (LoadCredential=): the bus's folder is closed to it. */
const CREDENTIAL = "nightjar-bus-key";

/** Where the bus listens and the key to it, undefined while the bus has not written them. */
export function busCredentials(
  stateDir: string,
  name: StageName | ClientName,
): { address: string; seed: Uint8Array } | undefined {
  const address = readSmallFile(statePaths.busAddress(stateDir));
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const given = credentials === undefined ? undefined : readSmallFile(join(credentials, CREDENTIAL));
  const seed = given ?? readSmallFile(statePaths.key(stateDir, name));
  return address && seed ? { address, seed: new TextEncoder().encode(seed) } : undefined;
}

/** Connects as soon as the bus is there, and reconnects for ever. Rejects only when `signal` is aborted first. */
export async function connectBus(options: ConnectionOptions): Promise<NatsConnection> {
  const { stateDir, name, signal, log } = options;
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    const credentials = busCredentials(stateDir, name);
    try {
      if (credentials) return await connectOnce(credentials.address, credentials.seed, name);
    } catch (error) {
      if (attempt === 0) log?.debug("waiting for the bus", { error: error as Error });
    }
    await pause(FIRST_CONNECT_WAIT_MS, signal);
  }
}

/** Connects once or rejects. */
export function connectOnce(address: string, seed: Uint8Array, name: string): Promise<NatsConnection> {
  return connect({
    servers: address,
    authenticator: nkeyAuthenticator(seed),
    name: `nightjar-${name}`,
    inboxPrefix: `_INBOX.${name}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    pingInterval: PING_INTERVAL_MS,
    ignoreAuthErrorAbort: true,
  });
}

/** Calls `moved` once when the address file names another place than the one connected to. */
export function watchAddress(stateDir: string, connectedTo: string, signal: AbortSignal, moved: () => void): void {
  const file = statePaths.busAddress(stateDir);
  const timer = setInterval(() => {
    let address: string;
    try {
      address = readFileSync(file, "utf8").trim();
    } catch {
      return;
    }
    if (address === "" || address === connectedTo) return;
    clearInterval(timer);
    moved();
  }, ADDRESS_CHECK_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
