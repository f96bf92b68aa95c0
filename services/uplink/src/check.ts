// Walks the way to the portal step by step, for `nightjar doctor connectivity`; it ends with the first step that fails.
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Settings, statePaths } from "@nightjar/stage";
import { type Endpoint, locatePortal } from "./endpoint.ts";
import { failureOf, failureWords, PortalFailure } from "./failure.ts";
import { PortalClient } from "./portal-client.ts";
import { readClientCredentials } from "./transport/client-credentials.ts";
import { unbracketed } from "./transport/proxy.ts";
import { openSecureSocket, portOf, targetOf } from "./transport/secure-socket.ts";
import { within } from "./transport/time-limit.ts";
import { askToken } from "./transport/token-endpoint.ts";
import { openTunnel } from "./transport/tunnel.ts";

export interface CheckedStep {
  step: string;
  ok: boolean;
  /** What was found, or the words of the failure. */
  is: string;
  /** Of a failure: what the portal or the system said, and what a person can try. */
  resp?: string;
  hint?: string;
}

export interface CheckOptions {
  stateDir: string;
  settings: Settings;
  environment: Readonly<Record<string, string | undefined>>;
}

interface Walk {
  endpoint: Endpoint;
  url: URL;
  /** Where the host itself connects to: the proxy, or the portal. */
  hop: { host: string; port: number };
  options: CheckOptions;
  signal: AbortSignal;
}

type Step = readonly [name: string, does: (walk: Walk) => Promise<string>];

/** In their order; each says what it found, or throws. */
const STEPS: readonly Step[] = [
  ["DNS", resolveHop],
  ["TCP", connectHop],
  ["proxy", passProxy],
  ["TLS", checkTls],
  ["token", checkToken],
  ["call", checkCall],
];

export async function checkConnectivity(options: CheckOptions): Promise<CheckedStep[]> {
  const timeoutMs = options.settings.uplink.call_timeout_ms;
  let endpoint: Endpoint;
  try {
    endpoint = locatePortal(options);
  } catch (error) {
    return [failed("settings", failureOf(error), statePaths.portalAddress(options.stateDir))];
  }
  const url = new URL(endpoint.url);
  const hop = endpoint.way.proxy ?? { host: unbracketed(url.hostname), port: portOf(url) };
  const through = endpoint.way.proxy ? ` through ${endpoint.way.proxy.shown}` : "";
  const checked: CheckedStep[] = [{ step: "settings", ok: true, is: `${url.origin}${through}` }];
  for (const [step, does] of STEPS) {
    const stop = new AbortController();
    try {
      const is = await within(timeoutMs, stop.signal, (signal) => does({ endpoint, url, hop, options, signal }));
      checked.push({ step, ok: true, is });
    } catch (error) {
      checked.push(failed(step, failureOf(error), url.host));
      break;
    } finally {
      stop.abort();
    }
  }
  return checked;
}

function failed(step: string, { message, resp }: PortalFailure, portal: string): CheckedStep {
  const doc = Object.values(failureWords).find((words) => words.message === message)?.doc;
  return { step, ok: false, is: message, resp, ...(doc && { hint: doc.replaceAll("PORTAL", portal) }) };
}

async function resolveHop({ hop }: Walk): Promise<string> {
  const addresses = await lookup(hop.host, { all: true });
  return `${hop.host}: ${addresses.map(({ address }) => address).join(", ")}`;
}

function connectHop({ hop, signal }: Walk): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ ...hop, signal });
    socket.once("error", reject);
    socket.once("connect", () => {
      resolve(`${socket.remoteAddress} port ${hop.port}`);
      socket.destroy();
    });
  });
}

async function passProxy({ endpoint, url, signal }: Walk): Promise<string> {
  const { proxy, authorities } = endpoint.way;
  if (!proxy) return "none, straight";
  (await openTunnel({ proxy, target: targetOf(url), authorities }, signal)).destroy();
  return `${proxy.shown} lets through to ${targetOf(url)}`;
}

async function checkTls({ endpoint, url, signal }: Walk): Promise<string> {
  const socket: TLSSocket = await openSecureSocket(endpoint.way, url, ["h2"], signal);
  const { issuer, valid_to: end } = socket.getPeerCertificate();
  const found = `${socket.getProtocol()}, certificate of ${[issuer?.CN ?? issuer?.O].join()}, good until ${end}`;
  socket.destroy();
  return found;
}

async function checkToken({ endpoint, options, signal }: Walk): Promise<string> {
  if ("token" in endpoint.access) return "an access token from a file";
  const { settings, environment } = options;
  const credentials = await readClientCredentials(settings.api, environment.CREDENTIALS_DIRECTORY);
  const asked = { url: endpoint.access.tokenUrl, way: endpoint.way, credentials, signal };
  const { lifetimeS } = await askToken({ ...asked, timeoutMs: settings.uplink.call_timeout_ms });
  return `client ${credentials.id} got one for ${lifetimeS} s`;
}

/** A heartbeat of no sensor: a portal that lets us in says what it lacks, and keeps nothing of it. */
async function checkCall({ options, signal }: Walk): Promise<string> {
  const { settings, environment } = options;
  const client = new PortalClient({
    locate: () => locatePortal(options),
    credentials: () => readClientCredentials(settings.api, environment.CREDENTIALS_DIRECTORY),
    renewalFailed: () => {},
    timeoutMs: settings.uplink.call_timeout_ms,
    signal,
  });
  try {
    await client.heartbeat({});
  } catch (error) {
    if (!(error instanceof PortalFailure && error.resp.startsWith("sensor: missing"))) throw error;
  } finally {
    client.disconnect();
  }
  return "the portal answers";
}
