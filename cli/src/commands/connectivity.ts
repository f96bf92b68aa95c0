// `nightjar doctor connectivity`: how far the way to the portal goes, step by step, and what to try where it ends.
import { settingsEnvironment } from "@nightjar/stage";
import type { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { askProgram } from "../doctor/ask-program.ts";
import { table } from "../show/table.ts";
import { printable } from "../show/text.ts";

/** As the uplink's program prints them. */
interface CheckedStep {
  step: string;
  ok: boolean;
  is: string;
  resp?: string;
  hint?: string;
}

export function connectivityCommand(environment: Environment): Command {
  return define(environment, {
    name: "connectivity",
    description: "Walk the way to the portal: name, connection, proxy, TLS, token, call; say where it ends.",
    allSettings: true,
    examples: ["nightjar doctor connectivity", "nightjar doctor connectivity --json"],
    action: async (context) => {
      const steps = await askUplink(context);
      for (const line of table(steps.map(({ step, ok, is }) => [ok ? "\u2713" : "\u2717", step, printable(is)]))) {
        context.output.line(line);
      }
      const wrong = steps.find(({ ok }) => !ok);
      if (wrong?.resp) context.output.line(`\n${printable(wrong.resp)}`);
      if (wrong?.hint) context.output.line(wrong.hint);
      for (const step of steps) context.output.json(step);
      return wrong ? "FAILED" : "OK";
    },
  });
}

/** The uplink's own program, with the settings and the environment it would have: what it finds, the uplink finds. */
async function askUplink({ resolved, stateDir, streams }: Context): Promise<CheckedStep[]> {
  const env = { ...streams.env, ...settingsEnvironment(resolved), NIGHTJAR_STATE_DIR: stateDir };
  try {
    return (await askProgram("uplink", ["--check"], env)) as CheckedStep[];
  } catch (error) {
    throw new CommandError("FAILED", (error as Error).message);
  }
}
