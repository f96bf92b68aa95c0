// `nightjar rules suppressions`: what is suppressed now, why and until when, and how much each suppression hid.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type SuppressionActivity, SuppressionActivitySchema } from "@nightjar/proto";
import { askStatuses } from "@nightjar/stage";
import type { Command } from "commander";
import { CommandError, define, type Environment } from "../../command.ts";
import { connectAs } from "../../connect/bus.ts";
import { toPlain } from "../../show/plain.ts";
import { table } from "../../show/table.ts";
import { count, printable } from "../../show/text.ts";

export function suppressionsCommand(environment: Environment): Command {
  return define(environment, {
    name: "suppressions",
    description: "List the suppressions in force, and how many matches each hid since the rule engine started.",
    examples: ["nightjar rules suppressions", "nightjar rules suppressions --json | jq 'select(.hidden == 0).name'"],
    action: async ({ output, stateDir }) => {
      const connection = await connectAs(stateDir, "operator");
      try {
        const engine = (await askStatuses(connection)).find(({ stage }) => stage === "rule-engine");
        if (!engine) throw new CommandError("NOT_RUNNING", "the rule engine does not answer");
        const rows = engine.suppressions.map((one) => [
          printable(one.name),
          count(Number(one.hidden)),
          endOf(one),
          printable(one.reason),
          printable(one.place),
        ]);
        for (const line of table([["SUPPRESSION", "HIDDEN", "EXPIRES", "REASON", "PLACE"], ...rows], [1])) {
          output.line(line);
        }
        for (const one of engine.suppressions) {
          const hiddenByRule = Object.entries(one.hiddenByRule).map(([rule, number]) => [rule, Number(number)]);
          const numbers = { hidden: Number(one.hidden), hidden_by_rule: Object.fromEntries(hiddenByRule) };
          output.json({ ...toPlain(SuppressionActivitySchema, one), ...numbers });
        }
        output.note(`${engine.suppressions.length} suppressions`);
      } finally {
        await connection.close();
      }
      return "OK";
    },
  });
}

function endOf({ expires }: SuppressionActivity): string {
  if (!expires) return "never";
  const end = timestampDate(expires);
  return `${end.toISOString()}${end.getTime() <= Date.now() ? " (over)" : ""}`;
}
