// Plays a recording on a sensor of its own, and reads what it prints.
import { fileURLToPath } from "node:url";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";

export const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const REPLAY_TIMEOUT_MS = 60_000;

/** The detections that a sensor printed, of the JSON lines on standard output. */
export function printedDetections<T>(run: TestProcess): T[] {
  return run.stdout
    .split("\n")
    .filter((line) => line.includes('"rule"'))
    .map((line) => JSON.parse(line))
    .map((line) => line.detection ?? line);
}

/** Resolves when all of the recording has gone through; it must end well. `env` is for settings. */
export async function play(
  t: ExecutionContext,
  recording: string,
  env: Record<string, string> = {},
): Promise<TestProcess> {
  const args = [CLI, "run", "--state-dir", temporaryFolder(t), "--replay", recording, "--json"];
  const player = startProcess(t, process.execPath, args, { env, group: true });
  const explain = () => player.stderr.slice(-4_000);
  await waitFor(() => !player.running, { what: "the replay ends", timeoutMs: REPLAY_TIMEOUT_MS, explain });
  t.deepEqual(await player.exited, { code: 0, signal: null }, player.stderr);
  return player;
}
