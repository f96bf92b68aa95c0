// `nightjar stage NAME`: becomes one stage's process, as service managers start it.
import { execve } from "node:process";
import type { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { checkEnabled } from "../disabled.ts";
import type { ExitName } from "../exit-codes.ts";
import { entryOf, STOP_ORDER } from "../supervisor/plan.ts";
import { NODE_FLAGS, stageEnvironment } from "../supervisor/stage-environment.ts";

export function stageCommand(environment: Environment): Command {
  return define(environment, {
    name: "stage",
    description:
      "Become the process of one stage, which whoever starts it supervises: systemd's units and containers do. Its " +
      "exit codes are then the stage's.",
    arguments: [{ name: "<name>", description: STOP_ORDER.join(", ") }],
    allSettings: true,
    examples: ["nightjar stage enricher --config /etc/nightjar/nightjar.yaml"],
    action: async (context, _, [name = ""]) => becomeStage(context, name),
  });
}

/** Does not return: the process, its number and its standard streams become the stage's. */
function becomeStage({ resolved, stateDir, streams }: Context, name: string): Promise<ExitName> {
  const stage = STOP_ORDER.find((one) => one === name);
  if (!stage) throw new CommandError("USAGE", `${name} is no stage; those are ${STOP_ORDER.join(", ")}`);
  checkEnabled(resolved);
  const env = stageEnvironment(stage, streams.env, { resolved, stateDir });
  if (!execve) throw new CommandError("FAILED", "this Node cannot replace its process; 24 or later is needed");
  return execve(process.execPath, [process.execPath, ...NODE_FLAGS, entryOf(stage)], defined(env));
}

/** Without the names that have no value, which execve(2) does not know. */
function defined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
