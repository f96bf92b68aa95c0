// `nightjar rules …`: the commands for those who write rules.
import { Command } from "commander";
import type { Environment } from "../command.ts";
import { addRulesCommand, removeRulesCommand } from "./rules/add.ts";
import { benchRulesCommand } from "./rules/bench.ts";
import { checkRulesCommand } from "./rules/check.ts";
import { fieldsCommand } from "./rules/fields.ts";
import { listRulesCommand } from "./rules/list.ts";
import { schemaCommand } from "./rules/schema.ts";
import { suppressionsCommand } from "./rules/suppressions.ts";
import { testRulesCommand } from "./rules/test.ts";
import { topRulesCommand } from "./rules/top.ts";
import { whyNotCommand } from "./rules/why-not.ts";

/** Each makes one command; the order is that of the help. */
const COMMANDS: readonly ((environment: Environment) => Command)[] = [
  checkRulesCommand,
  listRulesCommand,
  fieldsCommand,
  testRulesCommand,
  whyNotCommand,
  benchRulesCommand,
  topRulesCommand,
  addRulesCommand,
  removeRulesCommand,
  suppressionsCommand,
  schemaCommand,
];

export function rulesCommand(environment: Environment): Command {
  const rules = new Command("rules").description("Work with rules.");
  for (const make of COMMANDS) rules.addCommand(make(environment));
  return rules;
}
