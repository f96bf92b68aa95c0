// Makes the embedded portal's certificate: self-signed, for loopback only, trusted by who reads it from the folder.
// The library below wants this one first.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const CERTIFICATE_VALID_DAYS = 3_650;
/** A host's clock may be set back a little after the certificate was made. */
const CERTIFICATE_BACKDATED_DAYS = 1;
const SERIAL_BYTES = 16;
const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const MS_PER_DAY = 24 * 60 * 60 * 1_000;

/** A new key and its certificate, both in PEM, valid from a day before `nowMs`. */
export async function makeCertificate(nowMs: number): Promise<{ certificate: string; privateKey: string }> {
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    // A serial number is positive: its first bit is 0 (RFC 5280, 4.1.2.2).
    serialNumber: `01${randomBytes(SERIAL_BYTES - 1).toString("hex")}`,
    name: "CN=Nightjar embedded portal",
    notBefore: new Date(nowMs - CERTIFICATE_BACKDATED_DAYS * MS_PER_DAY),
    notAfter: new Date(nowMs + CERTIFICATE_VALID_DAYS * MS_PER_DAY),
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate: made.toString("pem"), privateKey: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") };
}
