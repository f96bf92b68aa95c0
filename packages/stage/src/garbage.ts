// Keeps messages aside that no stage can read, and those that crash it again and again.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSmallFile, writeFileAtomic } from "./state-folder.ts";

const GARBAGE_FILES_MAX = 32;
const GARBAGE_FILE_BYTES_MAX = 1024 * 1024;
const CRASHES_MAX = 3;

/** What a handler throws for a message that is no valid batch; it is counted, kept aside and acknowledged. */
export class GarbageError extends Error {
  readonly code = "GARBAGE";
}

interface CrashNote {
  message: string;
  count: number;
}

/** The folder `garbage/` of one stage: the last messages that were passed over, and a count of crashes. */
export class GarbageStore {
  readonly #folder: string;
  readonly #crashFile: string;
  readonly #noted: CrashNote | undefined;

  constructor(stageFolder: string) {
    this.#folder = join(stageFolder, "garbage");
    this.#crashFile = join(stageFolder, "crashes.json");
    this.#noted = readNote(this.#crashFile);
  }

  /** Keeps the first megabyte of a message; the oldest file goes when there are too many. Returns the file's path. */
  keep(bytes: Uint8Array): string {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(this.#folder).sort();
    for (const name of names.slice(0, Math.max(0, names.length - GARBAGE_FILES_MAX + 1)))
      unlinkSync(join(this.#folder, name));
    const file = join(this.#folder, `${Date.now()}-${process.hrtime.bigint()}.bin`);
    writeFileSync(file, bytes.subarray(0, GARBAGE_FILE_BYTES_MAX), { mode: 0o600 });
    return file;
  }

  /** Bytes kept, for the limits' sake. */
  size(): number {
    try {
      return readdirSync(this.#folder).reduce((sum, name) => sum + statSync(join(this.#folder, name)).size, 0);
    } catch {
      return 0;
    }
  }

  /** Notes that handling this message is about to end the process. */
  noteCrash(bytes: Uint8Array): void {
    const message = digest(bytes);
    const count = this.#noted?.message === message ? this.#noted.count + 1 : 1;
    writeFileAtomic(this.#crashFile, JSON.stringify({ message, count }));
  }

  /** Whether this message has ended the process too often, in the lives before this one. */
  isPoison(bytes: Uint8Array): boolean {
    return this.#noted !== undefined && this.#noted.count >= CRASHES_MAX && this.#noted.message === digest(bytes);
  }
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function readNote(file: string): CrashNote | undefined {
  try {
    return JSON.parse(readSmallFile(file) ?? "") as CrashNote;
  } catch {
    return undefined;
  }
}
