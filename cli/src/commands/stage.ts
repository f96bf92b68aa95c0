// `nightjar stage NAME`: becomes one stage's process, as service managers start it.
import type { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { becomeStage } from "../supervisor/become-stage.ts";
import { STOP_ORDER } from "../supervisor/plan.ts";

export function stageCommand(environment: Environment): Command {
  return define(environment, {
    name: "stage",
    description:
      "Become the process of one stage, which whoever starts it supervises: systemd's units and containers do. Its " +
      "exit codes are then the stage's.",
    arguments: [{ name: "<name>", description: STOP_ORDER.join(", ") }],
    allSettings: true,
    examples: ["nightjar stage enricher --config /etc/nightjar/nightjar.yaml"],
    action: async (context, _, [name = ""]) => stage(context, name),
  });
}

/** With flags; without any, start-stage.ts has done it before the other commands were loaded. */
async function stage({ resolved, stateDir, streams }: Context, name: string): Promise<ExitName> {
  const { exit, message } = becomeStage(name, { resolved, stateDir }, streams.env);
  throw new CommandError(exit, message);
}
