// Answers Prometheus on a loopback port: one path, one method, one question at a time.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { StageStatus } from "@nightjar/proto";
import { describeError, type Stage } from "@nightjar/stage";
import { exposition } from "./exposition.ts";

const HOST = "127.0.0.1";
const PATH = "/metrics";
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const HEADERS_MS_MAX = 5_000;
const CONNECTIONS_MAX = 16;
/** A page in a browser that was led here by a name of its own sends that name. */
const HOSTS = /^(127\.0\.0\.1|localhost)(:\d+)?$/;

/** Listens until the stage stops; a port that cannot be had is a health issue, and tried again with the next start. */
export async function serveMetrics(stage: Stage, ask: () => Promise<StageStatus[]>): Promise<Server | undefined> {
  const { port } = stage.settings.metrics;
  let asked: Promise<string> | undefined;
  /** Who asks meanwhile has the same answer. */
  const answer = () => {
    asked ??= ask()
      .then(exposition)
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
  const server = createServer(
    { headersTimeout: HEADERS_MS_MAX, requestTimeout: HEADERS_MS_MAX },
    (request, response) => void respond(request, response, answer),
  );
  server.maxConnections = CONNECTIONS_MAX;
  stage.onStop(() => {
    server.close();
    server.closeAllConnections();
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, HOST, resolve);
    });
  } catch (error) {
    stage.health.raise("METRICS_UNAVAILABLE", `metrics cannot be told on port ${port}: ${describeError(error)}`);
    return undefined;
  }
  stage.log.info("metrics are told", { address: `http://${HOST}:${port}${PATH}` });
  return server;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => Promise<string>,
): Promise<void> {
  const end = (code: number, text: string) => void response.writeHead(code, { "content-type": CONTENT_TYPE }).end(text);
  if (!HOSTS.test(request.headers.host ?? "")) return end(403, "only for this host\n");
  if (request.url !== PATH) return end(404, `nothing but ${PATH}\n`);
  if (request.method !== "GET") return end(405, "only GET\n");
  try {
    end(200, await answer());
  } catch (error) {
    end(503, `${describeError(error)}\n`);
  }
}
