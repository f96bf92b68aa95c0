// Whether the disk has room for the store: on a full disk PGlite does not fail, it loops for ever.
import { statfsSync } from "node:fs";
import { PortalError } from "./errors.ts";
import { FREE_BYTES_MIN } from "./limits.ts";

/** The bytes that are free for us on a folder's file system. */
export type FreeBytes = (folder: string) => number;

export const freeBytes: FreeBytes = (folder) => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** Throws PORTAL_DISK_FULL when there is less than the store may need before the next look. */
export function assertRoom(folder: string, free: FreeBytes): void {
  const bytes = free(folder);
  if (bytes >= FREE_BYTES_MIN) return;
  throw new PortalError("PORTAL_DISK_FULL", `${folder} has ${bytes} bytes free and needs ${FREE_BYTES_MIN}`);
}
