// What the outputs' tests share: real receivers on loopback, and an output as the uplink runs it, without a bus.
// The library of certificates below wants this one first.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { sampleOrigin } from "@nightjar/formats/fixture";
import { resolveSettings, type Settings } from "@nightjar/stage";
import { type Teardown, temporaryFolder } from "@nightjar/test-support";
import * as x509 from "@peculiar/x509";
import { makeOutput } from "./kinds.ts";
import type { OutputName } from "./output.ts";
import { RunningOutput } from "./running.ts";

const KEY = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const MS_PER_DAY = 24 * 60 * 60 * 1_000;

/** A key and its self-signed certificate for 127.0.0.1, in PEM. */
export async function makeIdentity(): Promise<{ key: string; cert: string }> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ serialNumber: "01", name: "CN=receiver", keys, signingAlgorithm: KEY },
    notBefore: new Date(Date.now() - MS_PER_DAY),
    notAfter: new Date(Date.now() + MS_PER_DAY),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: made.toString("pem"), key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
}

export interface Request {
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export interface HttpReceiver {
  url: string;
  caFile: string;
  requests: Request[];
}

/** An HTTPS server that keeps what is posted and answers as `answer` says. */
export async function httpReceiver(
  t: Teardown,
  answer: (request: Request, response: ServerResponse) => void,
): Promise<HttpReceiver> {
  const identity = await makeIdentity();
  const requests: Request[] = [];
  const server = createHttpsServer(identity, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const received = { headers: request.headers, body: Buffer.concat(chunks) };
    requests.push(received);
    answer(received, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const caFile = join(temporaryFolder(t), "ca.pem");
  writeFileSync(caFile, identity.cert);
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, caFile, requests };
}

export interface SyslogReceiver {
  address: string;
  caFile: string;
  messages: string[];
}

/** A TLS server that takes RFC 5425's frames; `meet` is told of each connection and its number, from 1 on. */
export async function syslogReceiver(
  t: Teardown,
  meet: (socket: TLSSocket, connection: number) => void = () => {},
): Promise<SyslogReceiver> {
  const identity = await makeIdentity();
  const messages: string[] = [];
  const sockets = new Set<TLSSocket>();
  let connections = 0;
  const server = createTlsServer(identity, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let frame = nextFrame(rest); frame; frame = nextFrame(rest)) {
        messages.push(frame.message);
        rest = frame.rest;
      }
    });
    connections += 1;
    meet(socket, connections);
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const caFile = join(temporaryFolder(t), "ca.pem");
  writeFileSync(caFile, identity.cert);
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, caFile, messages };
}

function nextFrame(bytes: Buffer): { message: string; rest: Buffer<ArrayBuffer> } | undefined {
  const space = bytes.indexOf(" ");
  const length = Number(bytes.subarray(0, Math.max(0, space)).toString());
  if (space < 1 || bytes.length < space + 1 + length) return undefined;
  const end = space + 1 + length;
  return { message: bytes.subarray(space + 1, end).toString(), rest: Buffer.from(bytes.subarray(end)) };
}

export interface Running {
  running: RunningOutput;
  /** The issues that are open, by output and kind, with their reasons. */
  issues: Map<string, string>;
  stop: () => Promise<void>;
}

/** Settings with the defaults, fast retries, and what is given. */
export function outputSettings(over: Partial<Settings["outputs"]>): Settings["outputs"] {
  return { ...resolveSettings({}).values.outputs, retry_base_ms: 10, retry_max_ms: 50, ...over };
}

/** The output with its queue in `folder`, which another may have left. */
export async function runOutput(
  t: Teardown,
  name: OutputName,
  over: Partial<Settings["outputs"]>,
  folder = temporaryFolder(t),
): Promise<Running> {
  const stopping = new AbortController();
  const stops: (() => Promise<void> | void)[] = [];
  const settings = { uplink: resolveSettings({}).values.uplink, outputs: outputSettings(over) };
  const log = { error() {}, info() {}, warn() {}, debug() {} } as never;
  const stage = {
    folder,
    settings,
    signal: stopping.signal,
    log,
    onStop: (stop: (typeof stops)[number]) => void stops.push(stop),
  };
  const issues = new Map<string, string>();
  const note = (kind: string) => (output: string, why: string | undefined) => {
    if (why === undefined) issues.delete(`${output} ${kind}`);
    else issues.set(`${output} ${kind}`, why);
  };
  const output = makeOutput(name, settings.outputs, sampleOrigin());
  const running = await RunningOutput.start(stage, output, { failing: note("failing"), losing: note("losing") });
  const stop = async () => {
    stopping.abort();
    for (const one of stops.splice(0).reverse()) await one();
  };
  t.teardown(stop);
  return { running, issues, stop };
}
