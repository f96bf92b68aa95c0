// What the portal serves beside its services: REST routes, each for whom it is, and pages.
import type { connectNodeAdapter } from "@connectrpc/connect-node";
import { pages } from "./pages.ts";
import { type AccountType, type Authenticate, callProblem, type Principal } from "./principal.ts";

type Handler = ReturnType<typeof connectNodeAdapter>;
/** Of HTTP/1.1 or HTTP/2. */
export type HttpRequest = Parameters<Handler>[0];
export type HttpResponse = Parameters<Handler>[1];

export interface HttpRoute {
  method: "GET" | "POST";
  /** The whole path, or all below it where it ends with "/". */
  path: string;
  /** Whose access token it wants; left out, anyone may call. */
  callers?: readonly AccountType[];
  /** `principal` is who calls, where there are `callers`. A throw is answered with 500. */
  handle(request: HttpRequest, response: HttpResponse, principal: Principal | undefined): Promise<void>;
}

/** Answers with `body` as JSON. */
export function sendJson(
  response: HttpResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Serves what no service has the path of. `failed` is told what a route threw. */
export function serveRoutes(
  routes: readonly HttpRoute[],
  authenticate: Authenticate,
  failed: (error: unknown) => void,
): (request: HttpRequest, response: HttpResponse) => void {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "https://portal");
    const route = routes.find(
      ({ method, path }) =>
        method === request.method && (path.endsWith("/") ? pathname.startsWith(path) : pathname === path),
    );
    if (!route) return servePage(request, response, pathname);
    void run(route, authenticate, request, response).catch((error: unknown) => {
      failed(error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: "server_error" });
    });
  };
}

async function run(
  route: HttpRoute,
  authenticate: Authenticate,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  let principal: Principal | undefined;
  if (route.callers) {
    principal = await authenticate(request.headers.authorization ?? null);
    if (!principal) {
      const description = "the access token is missing or wrong";
      sendJson(response, 401, { error: "invalid_token", error_description: description });
      return;
    }
    const problem = callProblem(principal, route.callers);
    if (problem) {
      sendJson(response, 400, { error: "insufficient_scope", error_description: problem });
      return;
    }
  }
  await route.handle(request, response, principal);
}

function servePage(request: HttpRequest, response: HttpResponse, pathname: string): void {
  const page = request.method === "GET" ? pages.get(pathname) : undefined;
  response.writeHead(page ? 200 : 404, page?.headers ?? {});
  response.end(page?.body ?? "not found\n");
}
