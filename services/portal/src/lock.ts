// Keeps a second portal out of a folder.
import { join } from "node:path";
import { takeLock } from "@nightjar/stage";
import { PortalError } from "./errors.ts";

/**
 * Locks `folder` for this process.
 *
 * @returns gives the lock back; so does the death of this process, however it comes.
 * @throws PortalError PORTAL_ALREADY_RUNNING, PORTAL_LOCK_FAILED
 */
export function lockFolder(folder: string): () => void {
  const lock = takeLock(join(folder, "lock"));
  if (lock.is === "held") return lock.release;
  if (lock.is === "taken") throw new PortalError("PORTAL_ALREADY_RUNNING", folder);
  throw new PortalError("PORTAL_LOCK_FAILED", `${folder}: ${lock.why}`);
}
