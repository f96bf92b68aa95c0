// The public keys that this host knows content by.
import type { KeyObject } from "node:crypto";
import { readPublicKeys } from "@nightjar/content";
import type { Settings } from "./settings/index.ts";
import { readSmallFile, statePaths } from "./state-folder.ts";

/** Where they lie: what the settings say, or in the state folder. */
export function contentKeyFile(stateDir: string, { content }: Pick<Settings, "content">): string {
  return content.public_key_file || statePaths.contentKey(stateDir);
}

/** Read anew each time, so that a key that is put there, taken away or changed counts from then on; empty without. */
export function readContentKeys(stateDir: string, settings: Pick<Settings, "content">): KeyObject[] {
  return readPublicKeys(readSmallFile(contentKeyFile(stateDir, settings)) ?? "");
}
