// `nightjar stage NAME` with nothing but the environment and its settings file.
import { type ExitName, exitCodes } from "./exit-codes.ts";
import { readSettings } from "./given-settings.ts";
import { becomeStage } from "./supervisor/become-stage.ts";

/** Returns only where it cannot: with the exit code, and why on standard error. */
export function startStage(name: string): number {
  const { problems, ...given } = readSettings(process.env);
  if (problems.length > 0) return refuse("USAGE", problems);
  const { exit, message } = becomeStage(name, given, process.env);
  return refuse(exit, [message]);
}

function refuse(exit: ExitName, messages: readonly string[]): number {
  for (const message of messages) process.stderr.write(`nightjar: ${message}\n`);
  return exitCodes[exit].code;
}
