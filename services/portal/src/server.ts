// Serves the portal's services over TLS: gRPC and Connect on HTTP/2, Connect on HTTP/1.1, and the page.
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Credentials } from "./credentials.ts";
import { type HttpRoute, serveRoutes } from "./http-routes.ts";
import { REQUEST_BYTES_MAX, STOP_GRACE_MS } from "./limits.ts";
import { type Authenticate, type Callers, gateOf } from "./principal.ts";

/** A service, who does it, and who may call it. */
export interface Registration {
  service: DescService;
  callers: Callers;
  register(router: ConnectRouter): void;
}

export function registration<Service extends DescService>(
  service: Service,
  implementation: ServiceImpl<Service>,
  callers: Callers,
): Registration {
  return { service, callers, register: (router) => router.service(service, implementation) };
}

export interface ServerOptions {
  /** The address to listen on. */
  host: string;
  /** 0 for any. */
  port: number;
  credentials: Credentials;
  /** PEM: only who shows a certificate that one of these vouches for may connect (mutual TLS); undefined for all. */
  clientAuthorities: string | undefined;
  authenticate: Authenticate;
  services: readonly Registration[];
  routes: readonly HttpRoute[];
  /** Told what a route threw. */
  failed: (error: unknown) => void;
}

export interface RunningServer {
  port: number;
  /** Ends streams, lets calls end for a moment, then closes. */
  close(): Promise<void>;
}

/** Listens; rejects with EADDRINUSE when another has the port. */
export async function serve(options: ServerOptions): Promise<RunningServer> {
  const { host, port, credentials, authenticate, services, routes, failed } = options;
  const stopping = new AbortController();
  const callers = new Map(services.map((one) => [one.service.typeName, one.callers]));
  const handler = connectNodeAdapter({
    routes(router) {
      for (const one of services) one.register(router);
    },
    readMaxBytes: REQUEST_BYTES_MAX,
    shutdownSignal: stopping.signal,
    requestGate: gateOf(authenticate, (service) => callers.get(service) ?? []),
    fallback: serveRoutes(routes, authenticate, failed),
  });
  const { privateKey: key, certificate: cert } = credentials;
  const { clientAuthorities: ca } = options;
  const mutual = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  const server = createSecureServer({ key, cert, allowHTTP1: true, minVersion: "TLSv1.2", ...mutual }, handler);
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  await listen(server, port, host);
  return { port: (server.address() as { port: number }).port, close: () => close(server, sessions, stopping) };
}

function listen(server: Http2SecureServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function close(server: Http2SecureServer, sessions: Set<ServerHttp2Session>, stopping: AbortController) {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  stopping.abort(new ConnectError("the portal stops", Code.Unavailable));
  for (const session of sessions) session.close();
  const late = setTimeout(() => {
    for (const session of sessions) session.destroy();
    resolveLate();
  }, STOP_GRACE_MS);
  let resolveLate = () => {};
  await Promise.race([closed, new Promise<void>((resolve) => (resolveLate = resolve))]);
  clearTimeout(late);
}
