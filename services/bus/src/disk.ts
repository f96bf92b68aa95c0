// How much disk the streams may take, and how full it is.
import { readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Stream, type StreamName, settingCatalogue } from "@nightjar/stage";

/** Derived budgets: a part of what is free, up to a cap. */
const BUDGET_FREE_PERCENT = 10;
const BUDGET_BYTES_MAX = 4 * 1024 ** 3;
/** Above this the disk is called full, and from then on until it is below the other. */
const DISK_FULL_PERCENT = 95;
const DISK_ROOM_PERCENT = 93;
const BLOCK_BYTES = 512;

export interface Disk {
  /** Bytes an unprivileged program may still write. */
  freeBytes: number;
  /** As df shows it: used of what is usable, 0 to 100. */
  usedPercent: number;
}

/** The disk that `folder` is on. */
export function readDisk(folder: string): Disk {
  const { blocks, bfree, bavail, bsize } = statfsSync(folder);
  const used = blocks - bfree;
  return { freeBytes: bavail * bsize, usedPercent: used + bavail === 0 ? 100 : (100 * used) / (used + bavail) };
}

/** Whether the disk is full or nearly; `before` is what the last look found. */
export function isDiskFull(disk: Disk, before = false): boolean {
  return disk.usedPercent > (before ? DISK_ROOM_PERCENT : DISK_FULL_PERCENT);
}

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
