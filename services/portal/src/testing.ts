// What the portal's tests share: folders, a store made once, detections, clients.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import {
  AdvisoryService,
  type Detection,
  DetectionSchema,
  FindingService,
  HealthService,
  IntelService,
  InventoryService,
  Priority,
  QueryService,
  SensorService,
} from "@nightjar/proto";
import { createLogger, openRedactor, resolveSettings, statePaths } from "@nightjar/stage";
import { type Portal, type PortalOptions, startPortal } from "./portal.ts";
import { openStoreFolder } from "./store-folder.ts";

const ID_BYTES = 16;

/** A fresh state folder; its portal folder holds a store when `template` is given, which saves making one. */
export function freshStateDir(template?: string): string {
  const stateDir = mkdtempSync(join(tmpdir(), "nightjar-portal-"));
  const folder = statePaths.folder(stateDir, "portal");
  mkdirSync(folder, { recursive: true });
  if (template) cpSync(join(template, "store"), join(folder, "store"), { recursive: true });
  return stateDir;
}

/** Makes an empty store once, to be copied. */
export async function makeTemplate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "nightjar-portal-template-"));
  await (await openStoreFolder(folder)).close();
  return folder;
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

export function startTestPortal(stateDir: string, options: Partial<PortalOptions> = {}): Promise<Portal> {
  return startPortal({
    folder: statePaths.folder(stateDir, "portal"),
    host: "127.0.0.1",
    port: 0,
    retentionDays: 30,
    tokenLifetimeS: 3_600,
    clock: Date.now,
    log: createLogger({
      target: "portal",
      level: "error",
      stderr: false,
      redactor: openRedactor("", resolveSettings({}).values),
    }),
    crash: (error) => {
      throw error;
    },
    ...options,
  });
}

export function randomId(): string {
  return randomBytes(ID_BYTES).toString("hex");
}

export function detection(fields: Partial<Omit<Detection, "$typeName">> = {}): Detection {
  return create(DetectionSchema, {
    id: randomId(),
    rule: "Read sensitive file untrusted",
    priority: Priority.WARNING,
    output: "a file was read",
    time: timestampFromMs(Date.now()),
    ...fields,
  });
}

export interface ClientOptions {
  protocol?: "grpc" | "connect-1.1";
  token?: string;
  certificate?: string;
}

/** A transport with what the portal's folder says. */
export function transportOf(stateDir: string, options: ClientOptions = {}): Transport {
  const token = options.token ?? read(statePaths.portalToken(stateDir));
  const ca = options.certificate ?? read(statePaths.portalCertificate(stateDir));
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const common = { baseUrl: read(statePaths.portalAddress(stateDir)), interceptors: [authorize], nodeOptions: { ca } };
  return options.protocol === "connect-1.1"
    ? createConnectTransport({ ...common, httpVersion: "1.1" })
    : createGrpcTransport({ ...common, idleConnectionTimeoutMs: 1_000 });
}

/** Clients of what sensors call and of what people ask. */
export function clientsOf(stateDir: string, options: ClientOptions = {}) {
  const transport = transportOf(stateDir, options);
  return {
    sensors: createClient(SensorService, transport),
    queries: createClient(QueryService, transport),
    health: createClient(HealthService, transport),
    intel: createClient(IntelService, transport),
    advisories: createClient(AdvisoryService, transport),
    findings: createClient(FindingService, transport),
    inventories: createClient(InventoryService, transport),
  };
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** POSTs a form to the portal, over HTTP/1.1. */
export async function postForm(
  stateDir: string,
  path: string,
  form: Readonly<Record<string, string | undefined>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  const fields = Object.entries(form).filter((field): field is [string, string] => field[1] !== undefined);
  const body = new URLSearchParams(fields).toString();
  const sent = request(`${read(statePaths.portalAddress(stateDir))}${path}`, {
    method: "POST",
    ca: read(statePaths.portalCertificate(stateDir)),
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}

function read(file: string): string {
  return readFileSync(file, "utf8").trim();
}
