// Finds the logs of a sensor: each name's files, those that were set aside first.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Log {
  /** A stage, `portal`, `nats-server`, `downloader`. */
  name: string;
  /** Absolute, the oldest first; the last is written to. */
  files: string[];
  /** The last file as it was when it was found: what is there ends here, and what comes begins here. */
  inode: number;
  bytes: number;
}

/** "enricher.log" is written to; "enricher1.log" was before it, and "enricher2.log" before that. */
const LOG_FILE = /^([a-z-]+[a-z])(\d*)\.log$/;

/** By name; none where the folder is not there or not readable. */
export function findLogs(folder: string): Log[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const parts = names.flatMap((file) => {
    const [, name, age] = file.match(LOG_FILE) ?? [];
    return name === undefined ? [] : [{ name, age: Number(age || 0), file: join(folder, file) }];
  });
  parts.sort((a, b) => a.name.localeCompare(b.name) || b.age - a.age);
  return [...Map.groupBy(parts, ({ name }) => name)].map(([name, own]) => {
    const files = own.map(({ file }) => file);
    const stat = statSync(files.at(-1) ?? "", { throwIfNoEntry: false });
    return { name, files, inode: stat?.ino ?? 0, bytes: stat?.size ?? 0 };
  });
}
