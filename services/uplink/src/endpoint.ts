// Where the portal is and how it is known: from the settings, or from the embedded portal's files.
import { readSmallFile, type Settings, statePaths } from "@nightjar/stage";
import { PortalFailure } from "./failure.ts";

export interface Endpoint {
  url: string;
  /** PEM; undefined for the system's authorities. */
  certificate: string | undefined;
  token: string;
  /** On this host, where compressing would only cost. */
  embedded: boolean;
}

/**
 * Reads the files anew: the embedded portal may come up later, or somewhere else.
 *
 * @throws PortalFailure "absent" while a file is not there, "address" when the URL is none of ours.
 */
export function locatePortal(stateDir: string, settings: Settings["uplink"]): Endpoint {
  const embedded = settings.portal_url === "";
  const url = embedded ? fileOf(statePaths.portalAddress(stateDir)) : settings.portal_url;
  if (!URL.canParse(url) || new URL(url).protocol !== "https:") {
    throw new PortalFailure("address", "the portal's address must begin with https://", url);
  }
  const certificateFile = settings.portal_certificate_file || (embedded ? statePaths.portalCertificate(stateDir) : "");
  return {
    url,
    certificate: certificateFile ? fileOf(certificateFile) : undefined,
    token: fileOf(settings.portal_token_file || statePaths.portalToken(stateDir)),
    embedded,
  };
}

function fileOf(path: string): string {
  const contents = readSmallFile(path);
  if (!contents) throw new PortalFailure("absent", "the portal is not there yet", `${path} cannot be read`);
  return contents;
}
