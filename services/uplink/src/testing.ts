// What the uplink's tests share: folders, detections, and the real portal as a process that can be killed.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Detection, DetectionSchema, Priority, QueryService, type StoredDetection } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";

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

export interface PortalProcess {
  child: ChildProcess;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts the portal of `stateDir`; resolves when it is ready. */
export async function startPortalProcess(stateDir: string): Promise<PortalProcess> {
  const program = new URL("../../portal/src/main.ts", import.meta.url).pathname;
  const addressFile = statePaths.portalAddress(stateDir);
  rmSync(addressFile, { force: true });
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, NIGHTJAR_STATE_DIR: stateDir },
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

/** All detections the portal has. */
export async function detectionsAt(stateDir: string): Promise<StoredDetection[]> {
  const read = (file: string) => readFileSync(file, "utf8").trim();
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${read(statePaths.portalToken(stateDir))}`);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: read(statePaths.portalAddress(stateDir)),
    interceptors: [authorize],
    nodeOptions: { ca: read(statePaths.portalCertificate(stateDir)) },
    idleConnectionTimeoutMs: 100,
  });
  const queries = createClient(QueryService, transport);
  const all: StoredDetection[] = [];
  for (let more = true, after = 0n; more; ) {
    const page = await queries.listDetections({ after, limit: PAGE });
    all.push(...page.detections);
    ({ next: after, more } = page);
  }
  return all;
}
