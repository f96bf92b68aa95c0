// A way through an HTTP proxy: CONNECT (RFC 9110, 9.3.6).
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { PortalFailure } from "../failure.ts";
import type { HttpProxy } from "./proxy.ts";

export interface TunnelOptions {
  proxy: HttpProxy;
  /** Where to: host and port, an IPv6 address in brackets. */
  target: string;
  /** PEM, for TLS to the proxy itself; undefined for Node's own. */
  authorities: string[] | undefined;
}

/** A socket to the target. Rejects with the system's error, or with a PortalFailure where the proxy refuses. */
export async function openTunnel(options: TunnelOptions, signal: AbortSignal): Promise<Socket> {
  const { proxy, target } = options;
  const asked = request({
    method: "CONNECT",
    path: target,
    signal,
    headers: { host: target, ...(proxy.authorization && { "proxy-authorization": proxy.authorization }) },
    createConnection: () => dial(options),
  });
  asked.end();
  // Who speaks first in a tunnel for TLS is the client: what else the proxy sent with its answer is none of TLS.
  const [answer, socket] = (await once(asked, "connect", { signal }).catch((error: unknown) => {
    throw new Error(`proxy ${proxy.shown}`, { cause: error });
  })) as [IncomingMessage, Socket];
  const status = answer.statusCode ?? 0;
  if (status >= 200 && status <= 299) return socket;
  socket.destroy();
  const resp = `proxy ${proxy.shown}: ${status} ${answer.statusMessage}`;
  throw new PortalFailure("proxy", "Connection Failed: proxy refused", resp);
}

function dial({ proxy, authorities }: TunnelOptions): Socket {
  const { host, port, secure } = proxy;
  if (!secure) return connectSocket({ host, port });
  return connectTls({
    ...{ host, port, rejectUnauthorized: true, minVersion: "TLSv1.2" },
    ...(isIP(host) === 0 && { servername: host }),
    ...(authorities && { ca: authorities }),
  });
}
