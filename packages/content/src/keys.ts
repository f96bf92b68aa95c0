// The keys by which content is signed and known: Ed25519, in PEM files as OpenSSL reads them.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

const PUBLIC_KEYS_MAX = 16;
const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/** A new pair: the private one as PKCS #8 (RFC 8410), the public one as SubjectPublicKeyInfo. */
export function makeKeyPair(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/** The key of a PEM file; undefined where it has none of Ed25519. */
export function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The public keys of a PEM file, one behind the other: while a key is changed for another, both count. What is no key
 * of Ed25519 is passed over, and a private key is none.
 */
export function readPublicKeys(pem: string): KeyObject[] {
  const blocks = pem.match(PUBLIC_KEY) ?? [];
  return blocks.slice(0, PUBLIC_KEYS_MAX).flatMap((block) => {
    try {
      const key = createPublicKey(block);
      return key.asymmetricKeyType === "ed25519" ? [key] : [];
    } catch {
      return [];
    }
  });
}

/** Whether what the private key signs is known by one of the public ones. */
export function isOfPair(privateKey: KeyObject, publicKeys: readonly KeyObject[]): boolean {
  const own = createPublicKey(privateKey);
  return publicKeys.some((key) => key.equals(own));
}
