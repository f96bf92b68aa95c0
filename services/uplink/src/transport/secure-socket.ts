// A TLS connection to the portal, straight or through a proxy: the one place that says how it is checked.
import { once } from "node:events";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { type HttpProxy, unbracketed } from "./proxy.ts";
import { openTunnel } from "./tunnel.ts";

/** How the portal is reached, and how each shows who he is. */
export interface Way {
  proxy: HttpProxy | undefined;
  /** PEM: who may vouch for the portal; undefined for Node's own. */
  authorities: string[] | undefined;
  /** PEM: what this host shows of itself, where the portal asks for it (mutual TLS). */
  identity: { cert: string; key: string } | undefined;
}

const HTTPS_PORT = 443;

/** Where `url` is, in the form of CONNECT's target: an IPv6 address in brackets. */
export function targetOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

export function portOf(url: URL): number {
  return url.port === "" ? HTTPS_PORT : Number(url.port);
}

/** Resolves when TLS is established. Rejects with the system's error, OpenSSL's, or the proxy's PortalFailure. */
export async function openSecureSocket(
  way: Way,
  url: URL,
  protocols: string[],
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { proxy, authorities, identity } = way;
  const host = unbracketed(url.hostname);
  const tunnel = proxy && (await openTunnel({ proxy, target: targetOf(url), authorities }, signal));
  const socket = connect({
    host,
    port: portOf(url),
    ...(tunnel && { socket: tunnel }),
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: protocols,
    // Said here so that no variable of the environment can turn it off.
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(authorities && { ca: authorities }),
    ...identity,
  });
  try {
    await once(socket, "secureConnect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
