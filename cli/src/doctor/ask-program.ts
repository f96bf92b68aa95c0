// Runs a stage's program so that it only tells, as JSON, what it finds.
import { spawn } from "node:child_process";
import type { FolderName } from "@nightjar/stage";
import { entryOf } from "../supervisor/plan.ts";

const CHECK_MS_MAX = 60_000;

/** Throws where it does not tell. */
export async function askProgram(
  name: FolderName,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<unknown> {
  const child = spawn(process.execPath, [entryOf(name), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.timeout(CHECK_MS_MAX),
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`the check ended with ${code}: ${stderr}`)),
    );
  });
  return JSON.parse(stdout);
}
