// Keeps a second process off a file's work, with a lock that the kernel gives back when its holder dies.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

const CONFLICT_EXIT_CODE = 75;
const LOCK_DESCRIPTOR = 3;
const FLOCK_MS_MAX = 5_000;
const LOCK_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** A lock, until `release` is called or this process is gone; or why there is none. */
export type Lock = { is: "held"; release: () => void } | { is: "taken" } | { is: "failed"; why: string };

/**
 * Locks `file`, which is made where it is not there, with its folder. Node has no flock(2); util-linux's flock(1) takes
 * the lock on a descriptor that it inherits, and because a lock belongs to the open file, not to the program, it stays
 * with this process. Programs started later do not get it (O_CLOEXEC).
 */
export function takeLock(file: string): Lock {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
  const descriptor = openSync(file, "a", LOCK_MODE);
  const args = ["--nonblock", "--conflict-exit-code", String(CONFLICT_EXIT_CODE), String(LOCK_DESCRIPTOR)];
  const { status, error, stderr } = spawnSync("flock", args, {
    stdio: ["ignore", "ignore", "pipe", descriptor],
    timeout: FLOCK_MS_MAX,
  });
  if (status === 0) return { is: "held", release: () => closeSync(descriptor) };
  closeSync(descriptor);
  if (status === CONFLICT_EXIT_CODE) return { is: "taken" };
  return { is: "failed", why: `flock (util-linux): ${error?.message ?? stderr.toString().trim()}` };
}
