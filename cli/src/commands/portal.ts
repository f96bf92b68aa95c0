// `nightjar portal …`: the commands for those who look after a portal.
import { Command } from "commander";
import type { Environment } from "../command.ts";
import { accountCommand } from "./portal/account.ts";
import { indicatorsCommand } from "./portal/indicators.ts";

/** Each makes one command; the order is that of the help. */
const COMMANDS: readonly ((environment: Environment) => Command)[] = [accountCommand, indicatorsCommand];

export function portalCommand(environment: Environment): Command {
  const portal = new Command("portal").description("Look after a portal.");
  for (const make of COMMANDS) portal.addCommand(make(environment));
  return portal;
}
