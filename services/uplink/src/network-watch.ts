// Sees the network come back: while the portal is not reached, a change of addresses or routes is worth a try at once.
import { closeSync, openSync, readSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Stage } from "@nightjar/stage";
import type { Breaker } from "./breaker.ts";
import { NETWORK_CHECK_MS, ROUTES_BYTES_MAX } from "./limits.ts";
import type { Link } from "./link.ts";

/** The kernel's tables, and which of their columns say where a route leads; the others count its use. */
const ROUTE_TABLES: readonly (readonly [file: string, columns: readonly number[]])[] = [
  ["/proc/net/route", [0, 1, 2, 3, 7]],
  ["/proc/net/ipv6_route", [0, 1, 4, 9]],
];

export interface NetworkWatchOptions {
  link: Pick<Link, "failed" | "networkReturned" | "onFailure">;
  breaker: Pick<Breaker, "networkReturned">;
  /** Tells networks apart. */
  fingerprint: () => string;
  changed: () => void;
}

/** To be called at an interval; compares only while the portal is not reached, since reading routes costs. */
export function networkWatch({ link, breaker, fingerprint, changed }: NetworkWatchOptions): () => void {
  let known = "";
  // The network in which the call failed: it may be another one a moment later.
  link.onFailure(() => {
    known = fingerprint();
  });
  return () => {
    if (!link.failed) return;
    const before = known;
    known = fingerprint();
    if (before === known) return;
    changed();
    breaker.networkReturned();
    link.networkReturned();
  };
}

export function startNetworkWatch(stage: Stage, parts: Pick<NetworkWatchOptions, "link" | "breaker">): void {
  const changed = () => stage.log.info("the network has changed; the portal is tried at once");
  const timer = setInterval(networkWatch({ ...parts, fingerprint: networkFingerprint, changed }), NETWORK_CHECK_MS);
  stage.onStop(() => clearInterval(timer));
}

/** The addresses of interfaces that are up and running, and the routes. */
export function networkFingerprint(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, of]) =>
    of?.map(({ cidr }) => `${name} ${cidr}`),
  );
  const routes = ROUTE_TABLES.flatMap(([file, columns]) =>
    beginningOf(file)
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .map((row) => columns.map((column) => row[column]).join(" ")),
  );
  return [...addresses, ...routes].sort().join("\n");
}

/** Of a router's table, which may have a million rows, the first ones must do. */
function beginningOf(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const buffer = Buffer.alloc(ROUTES_BYTES_MAX);
    return buffer.toString("latin1", 0, readSync(descriptor, buffer));
  } catch {
    // Without IPv6 its table is not there.
    return "";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
