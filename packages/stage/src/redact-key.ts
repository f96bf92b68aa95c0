// The key of the sensor's redactor: random, made by whichever process comes first, kept in the state folder.
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createRedactor, KEY_BYTES, type Redactor } from "@nightjar/redact";
import type { Settings } from "./settings/index.ts";
import { statePaths } from "./state-folder.ts";

const PRIVATE_FOLDER_MODE = 0o700;
/** Stages with users of their own have a group in common. */
const KEY_MODE = 0o640;

/** The redactor of the sensor in `stateDir`; where no folder can keep a key, with one for this process alone. */
export function openRedactor(stateDir: string, settings: Pick<Settings, "redact">): Redactor {
  const extraPatterns = settings.redact.extra_patterns;
  return createRedactor({ key: (stateDir && redactKey(stateDir)) || randomBytes(KEY_BYTES), extraPatterns });
}

/** The key, made where there is none; undefined where it can be neither read nor written. */
function redactKey(stateDir: string): Uint8Array | undefined {
  const file = statePaths.redactKey(stateDir);
  const own = `${file}.${process.pid}.new`;
  try {
    const known = readKey(file);
    if (known) return known;
    mkdirSync(dirname(file), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    writeFileSync(own, randomBytes(KEY_BYTES), { mode: KEY_MODE });
    linkSync(own, file);
  } catch {
    // Another process was faster, or the folder cannot be written.
  }
  return readMade(file, own);
}

/** Of several processes that start together, the first to link its key has made everybody's. */
function readMade(file: string, own: string): Uint8Array | undefined {
  try {
    rmSync(own, { force: true });
    return readKey(file);
  } catch {
    return undefined;
  }
}

function readKey(file: string): Uint8Array | undefined {
  try {
    const key = readFileSync(file);
    if (key.length === KEY_BYTES) return key;
    // Cut short by a full disk or somebody's hand: it is worth nothing.
    rmSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return undefined;
}
