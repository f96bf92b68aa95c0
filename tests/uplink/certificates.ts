// Certificates for the tests' portals: for a name of the test network, good, expired, or of somebody else.
// The library below wants this one first.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const KEY = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const MS_PER_DAY = 24 * 60 * 60 * 1_000;
const SERIAL_BYTES = 8;

/** A key and its self-signed certificate, in PEM. */
export interface Identity {
  key: string;
  cert: string;
}

/** For `name`; valid until so many days from now, where a negative number makes an expired one. */
export async function makeIdentity(name: string, daysLeft: number): Promise<Identity> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
  const notAfter = Date.now() + daysLeft * MS_PER_DAY;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `01${randomBytes(SERIAL_BYTES).toString("hex")}`,
    name: `CN=${name}`,
    notBefore: new Date(Math.min(Date.now(), notAfter) - MS_PER_DAY),
    notAfter: new Date(notAfter),
    keys,
    signingAlgorithm: KEY,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: made.toString("pem"), key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
}
