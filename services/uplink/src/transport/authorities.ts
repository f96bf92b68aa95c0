// Who may vouch for the portal: the system's authorities or a file's, and those that were added for a proxy.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { readSmallFile } from "@nightjar/stage";
import { failureWords, PortalFailure } from "../failure.ts";
import { AUTHORITY_FILES_MAX } from "../limits.ts";

export interface AuthorityOptions {
  /** In the place of the system's authorities; undefined for those. */
  file: string | undefined;
  /** Of an intercepting proxy, "" for none. */
  proxyFile: string;
  /** A folder of more, "" for none. */
  extraFolder: string;
}

const CERTIFICATE_FILE = /\.(pem|crt|cer)$/i;

/**
 * PEM texts. Where the system has no authorities, as in a small container, Node's own stand in.
 *
 * @throws PortalFailure "certificate" where what a setting names cannot be read.
 */
export function readAuthorities({ file, proxyFile, extraFolder }: AuthorityOptions): string[] {
  const base = file === undefined ? systemAuthorities() : [certificatesOf(file)];
  const proxy = proxyFile === "" ? [] : [certificatesOf(proxyFile)];
  const extra = extraFolder === "" ? [] : filesIn(extraFolder).map(certificatesOf);
  return [...base, ...proxy, ...extra];
}

function systemAuthorities(): string[] {
  const system = getCACertificates("system");
  return system.length > 0 ? system : getCACertificates("bundled");
}

function filesIn(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => CERTIFICATE_FILE.test(name));
  } catch (error) {
    throw unreadable(folder, (error as Error).message);
  }
  if (names.length > AUTHORITY_FILES_MAX) throw unreadable(folder, `more than ${AUTHORITY_FILES_MAX} files`);
  return names.sort().map((name) => join(folder, name));
}

function certificatesOf(file: string): string {
  const pem = readSmallFile(file);
  if (pem === undefined) throw unreadable(file, "the file cannot be read");
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) throw unreadable(file, "no PEM certificate is in it");
  return pem;
}

function unreadable(path: string, why: string): PortalFailure {
  return new PortalFailure("certificate", failureWords.certificate.message, `${path}: ${why}`);
}
