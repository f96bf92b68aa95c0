// `nightjar doctor connectivity`: how far the way to the portal goes, step by step, and what to try where it ends.
import type { Command } from "commander";
import { define, type Environment } from "../command.ts";
import { walkToPortal } from "../doctor/way.ts";
import { table } from "../show/table.ts";
import { printable } from "../show/text.ts";

export function connectivityCommand(environment: Environment): Command {
  return define(environment, {
    name: "connectivity",
    description: "Walk the way to the portal: name, connection, proxy, TLS, token, call; say where it ends.",
    allSettings: true,
    examples: ["nightjar doctor connectivity", "nightjar doctor connectivity --json"],
    action: async (context) => {
      const steps = await walkToPortal(context);
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
