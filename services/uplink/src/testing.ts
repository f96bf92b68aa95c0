// What the uplink's tests share: folders, detections, and the real portal as a process that can be killed.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Detection, DetectionSchema, Priority, QueryService, type StoredDetection } from "@nightjar/proto";
import { type Settings, statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import { locatePortal } from "./endpoint.ts";
import { PortalClient } from "./portal-client.ts";
import { readClientCredentials } from "./transport/client-credentials.ts";

const ID_BYTES = 16;

export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "nightjar-uplink-"));
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

export function detection(fields: Partial<Omit<Detection, "$typeName">> = {}): Detection {
  return create(DetectionSchema, {
    id: randomBytes(ID_BYTES).toString("hex"),
    rule: "Read sensitive file untrusted",
    priority: Priority.WARNING,
    output: "a file was read",
    time: timestampFromMs(Date.now()),
    ...fields,
  });
}

/** Ample: the machine may be busy with other things. */
const WAIT_MS = 60_000;

const PAGE = 1_000;

/** A client as the uplink makes it; `close` ends its connection. */
export function clientOf(
  stateDir: string,
  settings: Settings,
  environment: Readonly<Record<string, string>> = {},
): { client: PortalClient; close: () => void } {
  const abort = new AbortController();
  const client = new PortalClient({
    locate: () => locatePortal({ stateDir, settings, environment }),
    credentials: () => readClientCredentials(settings.api, environment.CREDENTIALS_DIRECTORY),
    renewalFailed: () => {},
    timeoutMs: settings.uplink.call_timeout_ms,
    signal: abort.signal,
  });
  return {
    client,
    close() {
      abort.abort();
      client.disconnect();
    },
  };
}

export interface PortalProcess {
  child: ChildProcess;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts the portal of `stateDir`; resolves when it is ready. */
export async function startPortalProcess(
  stateDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<PortalProcess> {
  const program = new URL("../../portal/src/main.ts", import.meta.url).pathname;
  const addressFile = statePaths.portalAddress(stateDir);
  rmSync(addressFile, { force: true });
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, NIGHTJAR_STATE_DIR: stateDir, ...settings },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const ended = once(child, "close");
  await waitFor(() => existsSync(addressFile) || child.exitCode !== null, {
    what: "the portal's address",
    timeoutMs: WAIT_MS,
  });
  if (child.exitCode !== null) throw new Error(readFileSync(statePaths.log(stateDir, "portal"), "utf8"));
  return {
    child,
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

/** A transport with all that the portal's folder allows. */
export function localTransport(stateDir: string): Transport {
  const read = (file: string) => readFileSync(file, "utf8").trim();
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${read(statePaths.portalToken(stateDir))}`);
    return next(request);
  };
  return createGrpcTransport({
    baseUrl: read(statePaths.portalAddress(stateDir)),
    interceptors: [authorize],
    nodeOptions: { ca: read(statePaths.portalCertificate(stateDir)) },
    idleConnectionTimeoutMs: 100,
  });
}

/** All detections the portal has. */
export async function detectionsAt(stateDir: string): Promise<StoredDetection[]> {
  const queries = createClient(QueryService, localTransport(stateDir));
  const all: StoredDetection[] = [];
  for (let more = true, after = 0n; more; ) {
    const page = await queries.listDetections({ after, limit: PAGE });
    all.push(...page.detections);
    ({ next: after, more } = page);
  }
  return all;
}
