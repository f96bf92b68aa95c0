// All commands as a process: signals, standard streams, exit code.
import { runProgram } from "./run-program.ts";

/** Ends the process. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stopping.abort());
  // Whoever read the output has gone away (`nightjar tap | head`): there is nobody left to talk to.
  process.stdout.on("error", () => process.exit(0));
  process.exitCode = await runProgram(args, process, stopping.signal);
  // Connections that are still closing must not keep the prompt away.
  process.stdout.write("", () => process.exit());
}
