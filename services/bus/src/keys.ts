// One nkey for each who connects: made at first start, kept in the state folder, readable to its owner alone.
import { chmodSync } from "node:fs";
import { createUser, fromSeed } from "@nats-io/nkeys";
import { readSmallFile, writeFileAtomic } from "@nightjar/stage";
import { busFiles } from "./files.ts";
import { type KeyName, keyNames } from "./grants.ts";

const SEED_MODE = 0o600;

export interface Key {
  /** The public part, which nats-server knows. */
  publicKey: string;
  /** The secret part, as nkeyAuthenticator takes it. */
  seed: Uint8Array;
}

/** Reads every key, making those that are missing or damaged. */
export function ensureKeys(stateDir: string): ReadonlyMap<KeyName, Key> {
  const { key } = busFiles(stateDir);
  return new Map(keyNames.map((name) => [name, readKey(key(name)) ?? makeKey(key(name))]));
}

function readKey(file: string): Key | undefined {
  const text = readSmallFile(file);
  if (!text) return undefined;
  const seed = Buffer.from(text);
  try {
    const publicKey = fromSeed(seed).getPublicKey();
    chmodSync(file, SEED_MODE);
    return publicKey.startsWith("U") ? { publicKey, seed } : undefined;
  } catch {
    return undefined;
  }
}

function makeKey(file: string): Key {
  const pair = createUser();
  const seed = pair.getSeed();
  writeFileAtomic(file, `${Buffer.from(seed).toString()}\n`, SEED_MODE);
  return { publicKey: pair.getPublicKey(), seed };
}
