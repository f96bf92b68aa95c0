// What the tests of the way to the portal share: a real proxy, one that opens TLS, authorities and certificates.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import { startProcess, type Teardown, waitFor } from "@nightjar/test-support";

type Test = Parameters<typeof startProcess>[0];

const PROXY_MS_MAX = 10_000;
const CERTIFICATE_DAYS = 2;

/** Why there is no real proxy here; undefined where there is one. */
export function whyNoProxy(): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  return folders.some((folder) => existsSync(join(folder, "tinyproxy"))) ? undefined : "missing: tinyproxy";
}

/** Starts tinyproxy; it lets through to `allowedPort` who knows the password. Resolves with its port. */
export async function startTinyproxy(t: Test, folder: string, allowedPort: number): Promise<number> {
  const port = await freePort();
  const file = join(folder, `tinyproxy-${port}.conf`);
  const lines = [`Port ${port}`, "Listen 127.0.0.1", "Timeout 60", "BasicAuth user pass", `ConnectPort ${allowedPort}`];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const child = startProcess(t, "tinyproxy", ["-d", "-c", file]);
  await waitFor(() => isListening(port), { what: "tinyproxy listens", timeoutMs: PROXY_MS_MAX });
  if (!child.running) throw new Error(child.stderr);
  return port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

export interface KeyPair {
  /** PEM files. */
  certificate: string;
  key: string;
}

/** An authority and a certificate it signed for localhost, made by openssl. */
export function makeAuthority(parent: string): { authority: KeyPair; signed: KeyPair } {
  const folder = mkdtempSync(join(parent, "authority-"));
  const pair = (name: string): KeyPair => ({
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
  });
  const [authority, signed] = [pair("authority"), pair("signed")];
  const make = (made: KeyPair, ...more: string[]) =>
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-days", String(CERTIFICATE_DAYS), "-keyout", made.key, "-out", made.certificate, ...more],
      ],
      { stdio: "pipe" },
    );
  make(authority, "-subj", "/CN=Test authority", "-addext", "keyUsage=critical,keyCertSign");
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const own = ["-addext", "basicConstraints=critical,CA:FALSE"];
  make(signed, "-subj", "/CN=localhost", "-CA", authority.certificate, "-CAkey", authority.key, ...names, ...own);
  return { authority, signed };
}

/** A proxy that opens TLS: it shows a certificate of its own and speaks TLS to the portal itself. Gives its port. */
export async function startInterceptor(t: Teardown, shown: KeyPair, portalCertificate: string): Promise<number> {
  const secureContext = createSecureContext({
    cert: readFileSync(shown.certificate),
    key: readFileSync(shown.key),
  });
  const sockets: Socket[] = [];
  const server = createHttpServer().on("connect", (request, socket: Socket) => {
    const [host = "", port = ""] = (request.url ?? "").split(":");
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const opened = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ["h2", "http/1.1"] });
    opened.once("secure", () => {
      const protocols = [opened.alpnProtocol || "http/1.1"];
      const ca = readFileSync(portalCertificate);
      const onward = connectTls({ host, port: Number(port), ca, servername: "localhost", ALPNProtocols: protocols });
      sockets.push(onward.on("error", () => {}));
      opened.pipe(onward).pipe(opened);
    });
    sockets.push(
      socket.on("error", () => {}),
      opened.on("error", () => {}),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
