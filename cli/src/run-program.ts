// Runs the command line once: arguments in, exit code out. Everything a user can get wrong ends here as a message.
import { CommanderError } from "commander";
import { CommandError, type Environment, exitCodeOf } from "./command.ts";
import type { ExitName } from "./exit-codes.ts";
import type { Streams } from "./output.ts";
import { buildProgram } from "./program.ts";

/** `args` without the program's own name. Resolves with the exit code; a bug rejects. */
export async function runProgram(args: readonly string[], streams: Streams, signal: AbortSignal): Promise<number> {
  let exit: ExitName = "OK";
  const environment: Environment = {
    streams,
    signal,
    ended: (name) => {
      exit = name;
    },
    program: () => buildProgram(environment),
    run: runProgram,
  };
  try {
    await buildProgram(environment).parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommandError) {
      streams.stderr.write(`nightjar: ${error.message}\n`);
      return exitCodeOf(error.exit);
    }
    // Asking for help is no mistake; everything else that commander refuses is.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodeOf("USAGE");
    throw error;
  }
  return exitCodeOf(exit);
}
