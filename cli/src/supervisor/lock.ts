// Keeps a second supervisor off a state folder, with a lock that the kernel gives back when its holder dies.
import { spawnSync } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { statePaths } from "@nightjar/stage";
import { CommandError } from "../command.ts";

const CONFLICT_EXIT_CODE = 75;

/**
 * Held until this process ends. A lock of flock(2) belongs to the open file, which the program flock(1) shares with
 * this process; it stays when that program has ended.
 *
 * @throws CommandError ALREADY_RUNNING, FAILED
 */
export function lockStateFolder(stateDir: string): void {
  const folder = dirname(statePaths.supervisor(stateDir));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fd = openSync(join(folder, "lock"), "a", 0o600);
  const args = ["--nonblock", "--conflict-exit-code", String(CONFLICT_EXIT_CODE), "3"];
  const { status, error, stderr } = spawnSync("flock", args, { stdio: ["ignore", "ignore", "pipe", fd] });
  if (status === 0) return;
  if (status === CONFLICT_EXIT_CODE) {
    throw new CommandError(
      "ALREADY_RUNNING",
      `another \`nightjar run\` works on ${stateDir}; look with \`nightjar status\`, or take another --state-dir`,
    );
  }
  throw new CommandError("FAILED", `${folder} cannot be locked with flock (util-linux): ${error?.message ?? stderr}`);
}
