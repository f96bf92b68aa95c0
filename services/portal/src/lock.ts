// Keeps a second process out of a folder, with a lock that the kernel gives back when its holder dies.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";

const CONFLICT_EXIT_CODE = 75;
const LOCK_DESCRIPTOR = 3;

/** Another process holds the folder, or it cannot be locked. */
export class LockError extends Error {
  readonly code: "FOLDER_LOCKED" | "FOLDER_UNLOCKABLE";

  constructor(code: LockError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Locks `folder` for this process. Node has no flock(2); util-linux's program takes the lock on a descriptor it
 * inherits, and because the lock belongs to the open file, not to the program, it stays with us when that ends.
 *
 * @returns gives the lock back; so does the death of this process, however it comes.
 * @throws LockError
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const descriptor = openSync(join(folder, "lock"), "a", 0o600);
  const args = ["--nonblock", "--conflict-exit-code", String(CONFLICT_EXIT_CODE), String(LOCK_DESCRIPTOR)];
  const { status, error, stderr } = spawnSync("flock", args, { stdio: ["ignore", "ignore", "pipe", descriptor] });
  if (status === 0) return () => closeSync(descriptor);
  closeSync(descriptor);
  if (status === CONFLICT_EXIT_CODE) throw new LockError("FOLDER_LOCKED", `another process works on ${folder}`);
  const why = error?.message ?? stderr.toString().trim();
  throw new LockError("FOLDER_UNLOCKABLE", `cannot lock ${folder} with flock (package util-linux): ${why}`);
}
