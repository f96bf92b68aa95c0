// The version of a set of rules files: the same for the same contents.
import { createHash } from "node:crypto";
import type { RuleFile } from "@nightjar/stage";

const VERSION_HEX_DIGITS = 12;

/** Twelve hexadecimal digits that change when a file's name or text does, or their order. */
export function contentVersion(files: readonly RuleFile[]): string {
  const hash = createHash("sha256");
  for (const { name, text } of files) hash.update(`${name}\0${text.length}\0`).update(text);
  return hash.digest("hex").slice(0, VERSION_HEX_DIGITS);
}
