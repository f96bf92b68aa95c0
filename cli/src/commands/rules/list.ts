// `nightjar rules list`: the rules that load, with what a person looks for in them.

import { PrioritySchema } from "@nightjar/proto";
import { attackOf, type Correlation, eventTypesOf, type Rule } from "@nightjar/rules";
import type { Command } from "commander";
import { define, type Environment } from "../../command.ts";
import { errorsOf, loadPaths, sensorRulePaths } from "../../rules/load-paths.ts";
import { enumWord } from "../../show/plain.ts";
import { table } from "../../show/table.ts";
import { printable } from "../../show/text.ts";

/** Of a rule that can match more event types than this, their number is shown. */
const EVENT_TYPES_SHOWN_MAX = 4;

export function listRulesCommand(environment: Environment): Command {
  return define(environment, {
    name: "list",
    description: "List rules: language, priority, name, event types, ATT&CK techniques, tags, place, whether enabled.",
    arguments: [{ name: "[paths...]", description: "files or folders; without any, the rules of the sensor" }],
    settings: ["rule_engine.rules"],
    examples: ["nightjar rules list", "nightjar rules list rules/ --json | jq -r 'select(.enabled | not) | .name'"],
    action: async (context, _options, paths) => {
      const { output } = context;
      const { rules, correlations, problems } = loadPaths(paths.length > 0 ? paths : sensorRulePaths(context));
      const rows = [...rules.map(describe), ...correlations.map(describeCorrelation)];
      const header = ["PRIORITY", "LANGUAGE", "RULE", "EVENTS", "ATT&CK", "PLACE"];
      for (const line of table([header, ...rows.map(cells)])) output.line(line);
      for (const row of rows) output.json(row);
      const errors = errorsOf(problems).length;
      if (errors > 0) output.note(`${errors} errors: \`nightjar rules check\` tells them`);
      return "OK";
    },
  });
}

function describe(rule: Rule) {
  const { name, id, language, tags, enabled, description, priority, location, place } = rule;
  const { file, line, column } = location;
  return {
    ...{ name, ...(id !== undefined && { id }), language, priority: enumWord(PrioritySchema, priority) },
    ...{ enabled, description, tags },
    ...attackOf(tags),
    event_types: eventTypesOf(rule),
    place,
    ...{ file, line, column },
  };
}

/** A correlation is about what its rules are about. */
function describeCorrelation({ name, priority, tags, description, place, location, type, references }: Correlation) {
  return {
    ...{ name, language: "sigma" as const, priority: enumWord(PrioritySchema, priority), enabled: true },
    ...{ description, tags, ...attackOf(tags), event_types: [], place, ...location },
    ...{ correlation: type, rules: references.map((one) => one.name) },
  };
}

function cells(row: ReturnType<typeof describe> | ReturnType<typeof describeCorrelation>): string[] {
  const types = row.event_types;
  const kind = "correlation" in row ? row.correlation : undefined;
  const events = kind ?? (types.length > EVENT_TYPES_SHOWN_MAX ? `${types.length} types` : types.join(" "));
  const attack = [...row.techniques, ...row.tactics].join(", ");
  const off = row.enabled ? "" : " (off)";
  return [row.priority.toLowerCase(), row.language, printable(row.name) + off, events, attack, printable(row.place)];
}
