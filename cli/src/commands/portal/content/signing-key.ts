// The key that a bundle is signed with: where it is looked for, and read.
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { readPrivateKey } from "@nightjar/content";
import { readSmallFile } from "@nightjar/stage";
import { CommandError } from "../../../command.ts";

/** Where `keygen` puts it unless it is told otherwise. */
export function signingKeyFile(stateDir: string): string {
  return join(stateDir, "content", "signing-key.pem");
}

/** @throws CommandError USAGE where the file has no key to sign with. */
export function readSigningKey(file: string): KeyObject {
  const pem = readSmallFile(file);
  if (pem === undefined) {
    throw new CommandError("USAGE", `${file} cannot be read; \`nightjar portal content keygen\` makes a key`);
  }
  const key = readPrivateKey(pem);
  if (!key) throw new CommandError("USAGE", `${file} holds no private key of Ed25519`);
  return key;
}
