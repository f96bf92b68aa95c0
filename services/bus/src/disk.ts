// How much disk the streams may take.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Stream, type StreamName, settingCatalogue } from "@nightjar/stage";

/** Derived budgets: a part of what is free, up to a cap. */
const BUDGET_FREE_PERCENT = 10;
const BUDGET_BYTES_MAX = 4 * 1024 ** 3;
const BLOCK_BYTES = 512;

/** Bytes on disk below `folder`; 0 where it is not there. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).blocks * BLOCK_BYTES;
    }
  } catch {
    // It is not there, or changes while it is read: what was counted so far serves.
  }
  return bytes;
}

export interface Budget {
  bytes: number;
  /** Set where the disk has less than the streams may need: what a person should know. */
  shortage?: string;
}

/** The disk for all streams: as set, or derived from what is free. `storeBytes` is what they take already. */
export function budgetOf(setBytes: number, freeBytes: number, storeBytes: number): Budget {
  const room = freeBytes + storeBytes;
  const derived = Math.min(BUDGET_BYTES_MAX, Math.floor((room * BUDGET_FREE_PERCENT) / 100));
  const bytes = setBytes > 0 ? setBytes : Math.max(settingCatalogue.bus.disk_bytes.min, derived);
  if (room >= bytes) return { bytes };
  const shortage = `the disk is too small: streams may need ${toMib(bytes)} MiB, it has ${toMib(room)} MiB`;
  return { bytes, shortage };
}

/** The largest size of each stream, in bytes: its share of the budget. */
export function streamBytes(streams: readonly Stream[], budgetBytes: number): Map<StreamName, number> {
  return new Map(streams.map((one) => [one.name, Math.floor((budgetBytes * one.diskShare) / 100)]));
}

function toMib(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
