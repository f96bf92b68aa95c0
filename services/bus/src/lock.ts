// The lock that keeps a second bus off a state folder: the kernel drops it when its holder dies, however it dies.
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { BusError } from "./errors.ts";

const LOCK_MODE = 0o600;
const FLOCK_MS_MAX = 5_000;
/** What flock(1) exits with when another holds the lock. */
const EXIT_CONFLICT = 1;

/** Holds the lock until `release` is called or the process is gone. */
export interface Lock {
  release(): void;
}

/**
 * Locks `file`, which is made where it is not there. A lock of flock(2) belongs to the open file, which this process
 * shares with the flock(1) it runs and goes on to hold; programs it starts later do not get it (O_CLOEXEC).
 * @throws BusError BUS_ALREADY_RUNNING, BUS_LOCK_FAILED
 */
export function lockFile(file: string): Lock {
  const fd = openSync(file, "a", LOCK_MODE);
  const { status, error, stderr } = spawnSync("flock", ["-n", "3"], {
    stdio: ["ignore", "ignore", "pipe", fd],
    timeout: FLOCK_MS_MAX,
  });
  if (status === 0) return { release: () => closeSync(fd) };
  closeSync(fd);
  if (status === EXIT_CONFLICT) throw new BusError("BUS_ALREADY_RUNNING", `${file} is locked`);
  const said = stderr?.toString().trim();
  throw new BusError("BUS_LOCK_FAILED", said || "flock could not be run", error ? { cause: error } : {});
}
