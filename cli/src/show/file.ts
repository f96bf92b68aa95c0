// An executed or mapped file in a line: its digest, or why there is none, and whose it is.
import { type Executable, FileGapSchema, Ownership } from "@nightjar/proto";
import { enumWord } from "./plain.ts";
import { hex, printable } from "./text.ts";

/** What is said of a file that no package has; nothing where that is not known. */
const UNOWNED: Partial<Record<Ownership, string>> = {
  [Ownership.NO_PACKAGE]: "of no package",
  [Ownership.NO_DATABASE]: "no package database",
};

/** "sha256 4add4b…, coreutils 9.1-1 (dpkg)"; "no sha256 (gone)". */
export function fileLine({ sha256, gap, package: owner, ownership, attributesChanged }: Executable): string {
  const parts = [sha256.length > 0 ? `sha256 ${hex(sha256)}` : `no sha256 (${enumWord(FileGapSchema, gap)})`];
  if (owner) parts.push(`${owner.name} ${owner.version} (${owner.manager})`);
  else parts.push(...[UNOWNED[ownership]].filter((text) => text !== undefined));
  if (attributesChanged) parts.push("changed attributes since");
  return printable(parts.join(", "));
}
