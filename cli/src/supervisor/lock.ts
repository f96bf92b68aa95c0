// Keeps a second supervisor off a state folder.
import { dirname, join } from "node:path";
import { statePaths, takeLock } from "@nightjar/stage";
import { CommandError } from "../command.ts";

/**
 * Held until this process ends.
 *
 * @throws CommandError ALREADY_RUNNING, FAILED
 */
export function lockStateFolder(stateDir: string): void {
  const folder = dirname(statePaths.supervisor(stateDir));
  const lock = takeLock(join(folder, "lock"));
  if (lock.is === "held") return;
  if (lock.is === "failed") throw new CommandError("FAILED", `${folder} cannot be locked: ${lock.why}`);
  throw new CommandError(
    "ALREADY_RUNNING",
    `another \`nightjar run\` works on ${stateDir}; look with \`nightjar status\`, or take another --state-dir`,
  );
}
