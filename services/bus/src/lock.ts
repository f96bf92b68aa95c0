// Keeps a second bus off a state folder.
import { takeLock } from "@nightjar/stage";
import { BusError } from "./errors.ts";

/**
 * Held until this process ends.
 * @throws BusError BUS_ALREADY_RUNNING, BUS_LOCK_FAILED
 */
export function lockFile(file: string): void {
  const lock = takeLock(file);
  if (lock.is === "taken") throw new BusError("BUS_ALREADY_RUNNING", `${file} is locked`);
  if (lock.is === "failed") throw new BusError("BUS_LOCK_FAILED", lock.why);
}
