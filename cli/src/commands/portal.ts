// `nightjar portal …`: the commands for those who look after a portal.
import { Command } from "commander";
import type { Environment } from "../command.ts";
import { accountCommand } from "./portal/account.ts";
import { advisoriesCommand } from "./portal/advisories.ts";
import { contentCommand } from "./portal/content.ts";
import { indicatorsCommand } from "./portal/indicators.ts";
import { portalInventoryCommand } from "./portal/inventory.ts";
import { serveCommand } from "./portal/serve.ts";

/** Each makes one command; the order is that of the help. */
const COMMANDS: readonly ((environment: Environment) => Command)[] = [
  serveCommand,
  accountCommand,
  contentCommand,
  indicatorsCommand,
  advisoriesCommand,
  portalInventoryCommand,
];

export function portalCommand(environment: Environment): Command {
  const portal = new Command("portal").description("Serve a portal, and look after one.");
  for (const make of COMMANDS) portal.addCommand(make(environment));
  return portal;
}
