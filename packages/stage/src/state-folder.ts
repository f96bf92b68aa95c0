// Where things lie in the state folder, and how its small files are written whole or not at all.
import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ClientName, StageName } from "./streams.ts";

/** Whoever writes files of its own in the state folder. */
export type FolderName = StageName | "portal";

export const statePaths = {
  /** `nats://127.0.0.1:PORT`, one line. */
  busAddress: (stateDir: string) => join(stateDir, "bus", "address"),
  /** An nkey seed, readable to its owner alone. */
  key: (stateDir: string, name: StageName | ClientName) => join(stateDir, "bus", "keys", `${name}.nk`),
  folder: (stateDir: string, name: FolderName) => join(stateDir, name),
  /** Held by the process that works as this stage. */
  lock: (stateDir: string, name: FolderName) => join(stateDir, name, "lock"),
  /** `logDir` is the setting log_dir. */
  logs: (stateDir: string, logDir = "") => logDir || join(stateDir, "log"),
  log: (stateDir: string, name: FolderName, logDir = ""): string =>
    join(statePaths.logs(stateDir, logDir), `${name}.log`),
  portalAddress: (stateDir: string) => join(stateDir, "portal", "address"),
  portalCertificate: (stateDir: string) => join(stateDir, "portal", "certificate.pem"),
  portalToken: (stateDir: string) => join(stateDir, "portal", "token"),
  /** Rules that were added to the sensor's own, a folder each. */
  rules: (stateDir: string) => join(stateDir, "rules"),
  /** The public keys of those whose content this sensor takes, where the settings name no other file. */
  contentKey: (stateDir: string) => join(stateDir, "content", "public-key.pem"),
  /** By which the same secret has the same token in all that leaves this sensor. */
  redactKey: (stateDir: string) => join(stateDir, "redact", "key"),
  /** Why the sensor is not to run, where its settings disable it; not there where it may. */
  disabled: (stateDir: string) => join(stateDir, "run", "disabled"),
  supervisor: (stateDir: string) => join(stateDir, "run", "supervisor.json"),
};

const PRIVATE_FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Writes a file so that readers see the old contents or the new, also after a crash; its folder is made. */
export function writeFileAtomic(file: string, contents: string | Uint8Array, mode = PRIVATE_FILE_MODE): void {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
  const temporary = `${file}.${process.pid}.new`;
  const fd = openSync(temporary, "w", mode);
  try {
    // Whatever umask the process was started with: who is meant to read it can.
    fchmodSync(fd, mode);
    let offset = 0;
    const bytes = typeof contents === "string" ? Buffer.from(contents) : contents;
    while (offset < bytes.length) offset += writeSync(fd, bytes, offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
}

/** The bytes of a small file, undefined where it is not there or not readable. */
export function readSmallBytes(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** The trimmed contents of a small file, undefined where it is not there or not readable. */
export function readSmallFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
