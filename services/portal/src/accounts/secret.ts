// Secrets of service accounts: made here, told once, kept as a hash.
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { HASHES_AT_ONCE, HASHES_WAITING_MAX } from "../limits.ts";

const SECRET_BYTES = 32;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** 16 MiB. What OWASP asks beyond (p = 5) is for passwords that people choose; a secret has 256 random bits. */
const COST = { N: 2 ** 14, r: 8, p: 1 } as const;
/** By which scanners for leaked secrets can tell it. */
const PREFIX = "njs_";

/** More secrets wait to be looked at than may. */
export class HashesFullError extends Error {}

export function makeSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64url")}`;
}

/** In the form "scrypt$N$r$p$salt$hash", so that the cost can grow without the old ones being lost. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(secret, salt, COST);
  return ["scrypt", COST.N, COST.r, COST.p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

/** Whether `secret` is the one of `stored`; the time it takes says nothing of how much is right. */
export async function isSecretOf(secret: string, stored: string): Promise<boolean> {
  const [, N, r, p, salt = "", hash = ""] = stored.split("$");
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const derived = await derive(secret, Buffer.from(salt, "base64url"), cost);
  return timingSafeEqual(derived, Buffer.from(hash, "base64url"));
}

let running = 0;
const waiting: (() => void)[] = [];

/** Rejects with HashesFullError where too many wait: whoever guesses secrets shall not keep the portal busy. */
async function derive(secret: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  if (running >= HASHES_AT_ONCE) {
    if (waiting.length >= HASHES_WAITING_MAX) throw new HashesFullError(`${waiting.length} secrets wait`);
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running++;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      scrypt(secret, salt, HASH_BYTES, cost, (error, key) => (error ? reject(error) : resolve(key)));
    });
  } finally {
    // Who waited longest takes our place; it stays counted.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
