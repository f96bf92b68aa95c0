// Where the portal is, how it is reached and known, and who we are to it: from the settings, or the embedded portal's
// files.
import { readSmallFile, type Settings, statePaths } from "@nightjar/stage";
import { PortalFailure } from "./failure.ts";
import { readAuthorities } from "./transport/authorities.ts";
import { hasClientCredentials } from "./transport/client-credentials.ts";
import { proxyFor } from "./transport/proxy.ts";
import type { Way } from "./transport/secure-socket.ts";

export interface Endpoint {
  url: string;
  way: Way;
  /** An access token that somebody gave, or where a service account gets one. */
  access: { token: string } | { tokenUrl: URL };
  /** On this host, where compressing would only cost. */
  embedded: boolean;
}

export interface EndpointOptions {
  stateDir: string;
  settings: Pick<Settings, "common" | "uplink" | "api">;
  /** For proxies, and systemd's credentials. */
  environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the files anew: the embedded portal may come up later, or somewhere else.
 *
 * @throws PortalFailure "absent" while a file is not there, "address" when the URL is none of ours, and what
 * readAuthorities and proxyFor throw.
 */
export function locatePortal(options: EndpointOptions): Endpoint {
  const { stateDir, settings } = options;
  const { uplink } = settings;
  const embedded = uplink.portal_url === "";
  const url = secureUrl(embedded ? fileOf(statePaths.portalAddress(stateDir)) : uplink.portal_url);
  return { url: url.href, way: wayTo(url, options), access: accessOf(url, options), embedded };
}

function wayTo(url: URL, { stateDir, settings, environment }: EndpointOptions): Way {
  const { common, uplink } = settings;
  const embedded = uplink.portal_url === "";
  const file = uplink.portal_certificate_file || (embedded ? statePaths.portalCertificate(stateDir) : "");
  const { client_certificate_file: cert, client_key_file: key } = uplink;
  return {
    // The embedded portal is on this host: a proxy's own loopback would be another.
    proxy: embedded ? undefined : proxyFor(url, environment),
    authorities: readAuthorities({
      file: file === "" ? undefined : presentFile(file),
      proxyFile: embedded ? "" : common.http_proxy_cert,
      extraFolder: embedded ? "" : common.extra_ssl_cert_dir,
    }),
    identity: cert === "" ? undefined : { cert: fileOf(cert), key: fileOf(key || cert) },
  };
}

function accessOf(url: URL, { stateDir, settings, environment }: EndpointOptions): Endpoint["access"] {
  const { uplink, api } = settings;
  if (uplink.portal_token_file !== "") return { token: fileOf(uplink.portal_token_file) };
  const isOwn = uplink.portal_url === "" && !hasClientCredentials(api, environment.CREDENTIALS_DIRECTORY);
  // The embedded portal's own token is for nobody else: a portal elsewhere would learn it.
  if (isOwn) return { token: fileOf(statePaths.portalToken(stateDir)) };
  return { tokenUrl: api.token_url === "" ? new URL("/oauth/token", url) : secureUrl(api.token_url) };
}

function secureUrl(text: string): URL {
  if (URL.canParse(text) && new URL(text).protocol === "https:") return new URL(text);
  throw new PortalFailure("address", "the portal's address must begin with https://", text);
}

function presentFile(path: string): string {
  fileOf(path);
  return path;
}

function fileOf(path: string): string {
  const contents = readSmallFile(path);
  if (!contents) throw new PortalFailure("absent", "the portal is not there yet", `${path} cannot be read`);
  return contents;
}
