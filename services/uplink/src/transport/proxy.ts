// Which proxy stands between this host and a URL, from the variables that curl and most programs go by.
import { BlockList, isIP } from "node:net";
import { PortalFailure } from "../failure.ts";

export interface HttpProxy {
  host: string;
  port: number;
  /** TLS to the proxy itself. */
  secure: boolean;
  /** The value of Proxy-Authorization, where the proxy's URL has credentials. */
  authorization: string | undefined;
  /** Its URL without credentials, for a person. */
  shown: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The first that is set counts. */
const VARIABLES = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const EXCEPTIONS = ["NO_PROXY", "no_proxy"];
const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/**
 * The proxy for `url`; undefined when it is reached directly. No library: those there are leave out the networks
 * (10.0.0.0/8) that NO_PROXY names wherever Kubernetes runs.
 *
 * @throws PortalFailure "proxy" when the proxy's URL is none of ours.
 */
export function proxyFor(url: URL, environment: Environment): HttpProxy | undefined {
  const given = firstOf(environment, VARIABLES);
  if (given === "" || isExcepted(url, firstOf(environment, EXCEPTIONS))) return undefined;
  // As curl has it, a proxy without a scheme is one of HTTP.
  const text = given.includes("://") ? given : `http://${given}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  const port = proxy && PORTS[proxy.protocol];
  if (!proxy || port === undefined) {
    throw new PortalFailure("proxy", "the proxy's URL must begin with http:// or https://", "HTTPS_PROXY");
  }
  const host = unbracketed(proxy.hostname);
  return {
    host,
    port: proxy.port === "" ? port : Number(proxy.port),
    secure: proxy.protocol === "https:",
    authorization: authorizationOf(proxy),
    shown: `${proxy.protocol}//${proxy.host}`,
  };
}

function firstOf(environment: Environment, names: readonly string[]): string {
  return names.map((name) => environment[name]?.trim() ?? "").find((value) => value !== "") ?? "";
}

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** Entries: `*`, a domain (with all below it), an address, a network; each may end with a port. */
function isExcepted(url: URL, exceptions: string): boolean {
  const host = unbracketed(url.hostname).toLowerCase();
  const port = url.port === "" ? (PORTS[url.protocol] ?? 0) : Number(url.port);
  return exceptions
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => fits(entry, host, port));
}

function fits(entry: string, host: string, port: number): boolean {
  if (entry === "*") return true;
  const [, name = entry, only] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  if (only !== undefined && Number(only) !== port) return false;
  const wanted = unbracketed(name);
  const family = isIP(host);
  if (family !== 0) return isInNetwork(wanted, host, family === 4 ? "ipv4" : "ipv6");
  const domain = wanted.replace(/^\*?\./, "");
  return host === domain || host.endsWith(`.${domain}`);
}

function isInNetwork(network: string, address: string, family: "ipv4" | "ipv6"): boolean {
  const [base = "", bits] = network.split("/");
  const baseFamily = isIP(base);
  if (baseFamily === 0 || (baseFamily === 4 ? "ipv4" : "ipv6") !== family) return false;
  const list = new BlockList();
  const most = baseFamily === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > most) return false;
  list.addSubnet(base, prefix, family);
  return list.check(address, family);
}

/** URLs write IPv6 addresses in brackets; sockets do not. */
export function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
