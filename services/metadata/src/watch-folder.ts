// Folders that a runtime writes, an entry a container: what comes and goes there, and reading what may be gone.

import { once } from "node:events";
import { watch } from "node:fs";

/** Whether a name is one entry of a folder and no way out of it. */
export function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

const NO_FILE = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG"]);

/** Undefined where there is no such file. */
export async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (NO_FILE.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** Tells the names of entries that come, change or go, until `signal` is aborted. Rejects where it cannot watch. */
export async function watchFolder(folder: string, changed: (name: string) => void, signal: AbortSignal): Promise<void> {
  const watcher = watch(folder, { persistent: false, signal });
  watcher.on("change", (_, name) => {
    if (typeof name === "string" && isFileName(name)) changed(name);
  });
  await once(watcher, "close");
}
