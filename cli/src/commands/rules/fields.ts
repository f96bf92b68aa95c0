// `nightjar rules fields`: what conditions and outputs may name, and which events have it.
import { eventTypeName, eventTypes } from "@nightjar/proto";
import { FIELDS, type Field, sigmaNames } from "@nightjar/rules";
import { type Command, Option } from "commander";
import { CommandError, define, type Environment } from "../../command.ts";
import type { ExitName } from "../../exit-codes.ts";
import type { Output } from "../../output.ts";
import { table } from "../../show/table.ts";

interface FieldsOptions {
  language: "falco" | "sigma";
  served?: boolean;
}

const BRACKETS: Readonly<Record<Field["argument"], string>> = { none: "", allowed: "[…]", required: "[…]" };

export function fieldsCommand(environment: Environment): Command {
  return define<FieldsOptions>(environment, {
    name: "fields",
    description: "List the fields that rules may name, with their types and the event types that have them.",
    arguments: [{ name: "[name]", description: "only those whose name contains this" }],
    options: [
      new Option("--language <language>", "whose names").choices(["falco", "sigma"]).default("falco"),
      new Option("--served", "leave out those that no event has"),
    ],
    examples: [
      "nightjar rules fields fd.",
      "nightjar rules fields --language sigma",
      "nightjar rules fields --served --json | jq -r .name",
    ],
    action: async ({ output }, { language, served = false }, [part = ""]) => {
      if (language === "sigma") return sigmaFields(output, part);
      const found = [...FIELDS.values()].filter(({ name, getter }) => name.includes(part) && (!served || getter));
      if (found.length === 0) throw new CommandError("FAILED", `no field's name contains ${JSON.stringify(part)}`);
      const rows = found.map((field) => [
        `${field.name}${BRACKETS[field.argument]}`,
        field.type,
        eventsOf(field),
        field.from,
      ]);
      for (const line of table([["FIELD", "TYPE", "EVENTS", "FROM"], ...rows])) output.line(line);
      for (const field of found) output.json(describe(field));
      return "OK";
    },
  });
}

function sigmaFields(output: Output, part: string): ExitName {
  const found = sigmaNames().filter(({ name }) => name.includes(part));
  if (found.length === 0) throw new CommandError("FAILED", `no field's name contains ${JSON.stringify(part)}`);
  const rows = found.map(({ name, events, from }) => [name, events?.join(", ") ?? "all", from]);
  for (const line of table([["FIELD", "EVENTS", "FROM"], ...rows])) output.line(line);
  for (const { name, events = eventTypes.map((type) => type.name), from } of found) output.json({ name, events, from });
  return "OK";
}

function eventsOf({ events, getter }: Field): string {
  if (!getter) return "none";
  if (events.length === eventTypes.length) return "all";
  const [first, second, ...rest] = events.map(eventTypeName);
  return [first, second, rest.length > 0 ? `and ${rest.length} more` : undefined].filter(Boolean).join(", ");
}

function describe({ name, type, argument, events, from, getter, several, deprecated }: Field) {
  return {
    ...{ name, type, argument, served: getter !== undefined, events: events.map(eventTypeName), from, deprecated },
    ...(several && { several }),
  };
}
