// Keeps a second process out of a folder, with a lock that the kernel gives back when its holder dies.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { PortalError } from "./errors.ts";

const CONFLICT_EXIT_CODE = 75;
const LOCK_DESCRIPTOR = 3;

/**
 * Locks `folder` for this process. Node has no flock(2); util-linux's program takes the lock on a descriptor it
 * inherits, and because the lock belongs to the open file, not to the program, it stays with us when that ends.
 *
 * @returns gives the lock back; so does the death of this process, however it comes.
 * @throws PortalError PORTAL_ALREADY_RUNNING, PORTAL_LOCK_FAILED
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const descriptor = openSync(join(folder, "lock"), "a", 0o600);
  const args = ["--nonblock", "--conflict-exit-code", String(CONFLICT_EXIT_CODE), String(LOCK_DESCRIPTOR)];
  const { status, error, stderr } = spawnSync("flock", args, { stdio: ["ignore", "ignore", "pipe", descriptor] });
  if (status === 0) return () => closeSync(descriptor);
  closeSync(descriptor);
  if (status === CONFLICT_EXIT_CODE) throw new PortalError("PORTAL_ALREADY_RUNNING", folder);
  throw new PortalError("PORTAL_LOCK_FAILED", `${folder}: ${error?.message ?? stderr.toString().trim()}`);
}
