// Brings what was written to the disk, so that it is there after a power cut too.
import { closeSync, fsyncSync, openSync, readdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";

function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Syncs every file and folder below `folder`, and itself. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncPath(folder);
}

/** Renames a folder that is complete to its final name, durably. */
export function publishFolder(from: string, to: string): void {
  renameSync(from, to);
  syncPath(dirname(to));
}
