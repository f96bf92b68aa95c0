// How full the disk is: from a limit on the sensor writes no more to it than it must.
import { statfsSync } from "node:fs";

/** Above this the disk is called full, and from then on until it is below the other. */
export const DISK_FULL_PERCENT = 95;
export const DISK_ROOM_PERCENT = 93;

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
