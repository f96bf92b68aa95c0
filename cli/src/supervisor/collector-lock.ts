// Whether a collector works on a state folder: it holds a lock there for as long as it lives.
import { existsSync } from "node:fs";
import { statePaths, takeLock } from "@nightjar/stage";
import { CommandError } from "../command.ts";

/** @throws CommandError FAILED where that cannot be told. */
export function isCollectorRunning(stateDir: string): boolean {
  const file = statePaths.lock(stateDir, "collector");
  if (!existsSync(file)) return false;
  const lock = takeLock(file);
  if (lock.is === "failed") throw new CommandError("FAILED", `${file} cannot be locked: ${lock.why}`);
  if (lock.is === "taken") return true;
  lock.release();
  return false;
}
