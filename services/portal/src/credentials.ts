// The portal's certificate and token, made at its first start and kept in its folder.
import { createHash, createPrivateKey, randomBytes, timingSafeEqual, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { readSmallFile, writeFileAtomic } from "@nightjar/stage";
import type { Clock } from "./clock.ts";
import { PortalError } from "./errors.ts";

/** At a start with less left, a new certificate is made; its users read it anew when the old one no longer fits. */
const CERTIFICATE_RENEW_DAYS = 365;
const MS_PER_DAY = 24 * 60 * 60 * 1_000;
const TOKEN_BYTES = 32;
const PUBLIC_FILE_MODE = 0o644;

export interface Credentials {
  certificate: string;
  privateKey: string;
  token: string;
}

/** PEM files of a certificate, with those between it and its authority, and of its key. */
export interface CertificateFiles {
  certificate: string;
  privateKey: string;
}

/**
 * Reads them from `folder`, making what is missing, unreadable, not of a pair, or near its end; the certificate from
 * `own` where somebody else looks after it. Throws PortalError where those cannot be used.
 */
export async function loadCredentials(folder: string, clock: Clock, own?: CertificateFiles): Promise<Credentials> {
  const token = loadToken(join(folder, "token"));
  if (own) return { ...readCertificate(own, clock), token };
  const files = { certificate: join(folder, "certificate.pem"), key: join(folder, "private-key.pem") };
  let certificate = readSmallFile(files.certificate);
  let privateKey = readSmallFile(files.key);
  if (!certificate || !privateKey || !isUsable(certificate, privateKey, clock())) {
    // Loaded only now: at other starts its library would be memory for nothing.
    const { makeCertificate } = await import("./certificate.ts");
    ({ certificate, privateKey } = await makeCertificate(clock()));
    writeFileAtomic(files.key, privateKey);
    writeFileAtomic(files.certificate, certificate, PUBLIC_FILE_MODE);
  }
  return { certificate, privateKey, token };
}

function readCertificate(files: CertificateFiles, clock: Clock): Omit<Credentials, "token"> {
  const [certificate, privateKey] = [readSmallFile(files.certificate), readSmallFile(files.privateKey)];
  const problem = !certificate || !privateKey ? "cannot be read" : certificateProblem(certificate, privateKey, clock());
  if (!problem) return { certificate: certificate as string, privateKey: privateKey as string };
  throw new PortalError("PORTAL_CERTIFICATE", `${files.certificate} and ${files.privateKey}: ${problem}`);
}

/** Why others could not use this certificate now. */
function certificateProblem(certificate: string, privateKey: string, nowMs: number): string | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(privateKey))) return "the key is not that of the certificate";
    return parsed.validToDate.getTime() < nowMs ? `the certificate ended on ${parsed.validTo}` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isUsable(certificate: string, privateKey: string, nowMs: number): boolean {
  try {
    const parsed = new X509Certificate(certificate);
    const left = parsed.validToDate.getTime() - nowMs;
    return parsed.checkPrivateKey(createPrivateKey(privateKey)) && left > CERTIFICATE_RENEW_DAYS * MS_PER_DAY;
  } catch {
    return false;
  }
}

function loadToken(file: string): string {
  const known = readSmallFile(file);
  if (known) return known;
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  writeFileAtomic(file, `${token}\n`);
  return token;
}

/** Whether the header `authorization` carries the token. The time it takes says nothing of how much is right. */
export function isAuthorized(header: string | null, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}
