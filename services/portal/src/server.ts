// Serves the portal's services over TLS: gRPC and Connect on HTTP/2, Connect on HTTP/1.1, and the page.
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { QueryService, SensorService } from "@nightjar/proto";
import { type Credentials, isAuthorized } from "./credentials.ts";
import { REQUEST_BYTES_MAX, STOP_GRACE_MS } from "./limits.ts";
import { pages } from "./pages.ts";

/** The one interface the embedded portal listens on. */
export const LISTEN_HOST = "127.0.0.1";

export interface Services {
  sensors: ServiceImpl<typeof SensorService>;
  queries: ServiceImpl<typeof QueryService>;
}

export interface RunningServer {
  port: number;
  /** Ends streams, lets calls end for a moment, then closes. */
  close(): Promise<void>;
}

/** Listens on `port`, 0 for any; rejects with EADDRINUSE when another has it. */
export async function serve(port: number, credentials: Credentials, services: Services): Promise<RunningServer> {
  const stopping = new AbortController();
  const handler = connectNodeAdapter({
    routes: (router) => router.service(SensorService, services.sensors).service(QueryService, services.queries),
    readMaxBytes: REQUEST_BYTES_MAX,
    shutdownSignal: stopping.signal,
    requestGate: ({ requestHeader }) => {
      if (isAuthorized(requestHeader.get("authorization"), credentials.token)) return;
      throw new ConnectError("the access token is missing or wrong", Code.Unauthenticated);
    },
    fallback: (request, response) => {
      const page =
        request.method === "GET" ? pages.get(new URL(request.url ?? "/", "https://portal").pathname) : undefined;
      response.writeHead(page ? 200 : 404, page?.headers ?? {});
      response.end(page?.body ?? "not found\n");
    },
  });
  const { privateKey: key, certificate: cert } = credentials;
  const server = createSecureServer({ key, cert, allowHTTP1: true, minVersion: "TLSv1.2" }, handler);
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  await listen(server, port);
  return { port: (server.address() as { port: number }).port, close: () => close(server, sessions, stopping) };
}

function listen(server: Http2SecureServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LISTEN_HOST, () => {
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
