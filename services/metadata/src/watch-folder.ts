// Folders that a runtime writes, an entry a container: what comes and goes there.

import { once } from "node:events";
import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { isFileName } from "./small-file.ts";

/** Folders of entries that are watched at a time, and for how long: what is written there is written at the start. */
const ENTRIES_MAX = 256;
const ENTRY_MS = 10_000;

/**
 * Tells the names of entries that come, change or go, until `signal` is aborted. A folder that came is told again when
 * something is written in it soon after. Rejects where `folder` cannot be watched.
 */
export async function watchFolder(folder: string, changed: (name: string) => void, signal: AbortSignal): Promise<void> {
  const watched = new Map<string, FSWatcher>();
  const watcher = watch(folder, { persistent: false, signal });
  watcher.on("change", (_, name) => {
    if (typeof name !== "string" || !isFileName(name)) return;
    if (!watched.has(name) && watched.size < ENTRIES_MAX) watchEntry(join(folder, name), name, watched, changed);
    changed(name);
  });
  watcher.on("close", () => {
    for (const one of watched.values()) one.close();
  });
  await once(watcher, "close");
}

function watchEntry(
  path: string,
  name: string,
  watched: Map<string, FSWatcher>,
  changed: (name: string) => void,
): void {
  try {
    const watcher = watch(path, { persistent: false });
    watched.set(name, watcher);
    watcher.on("change", () => changed(name));
    // It went; nothing more is said of it here.
    watcher.on("error", () => watcher.close());
    const timer = setTimeout(() => watcher.close(), ENTRY_MS).unref();
    watcher.on("close", () => {
      clearTimeout(timer);
      watched.delete(name);
    });
  } catch {
    // It is gone already.
  }
}
