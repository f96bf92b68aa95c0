// Writes the reference of Sigma from the options of the messages and the tables that the code goes by.
import { type Term, termName } from "../language/expression.ts";
import { AUDIT, AUDIT_RECORDS } from "./auditd.ts";
import { SERVED, UNSERVED_SERVICES } from "./logsources.ts";
import { MODIFIER_NAMES } from "./modifiers.ts";
import { fieldConditions, itemConditions, ruleConditions } from "./pipeline/conditions.ts";
import { transformations } from "./pipeline/transformations.ts";
import type { View } from "./view.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

const INTRODUCTION = `
Rules of Sigma (specification 2.1) load unchanged, beside Falco's and from the same folders: a YAML document that is a
mapping with \`detection\`, \`correlation\` or \`filter\` is Sigma's, a sequence is Falco's. Several documents stand in
one file with \`---\` between them; \`action: global\`, \`repeat\` and \`reset\` are understood as they were before 2.0.
A document with a fault is left out and told of with file, line, column and code; the others load.

- **Texts** are compared without regard to case; \`*\` and \`?\` are wildcards, taken literally behind a backslash.
  Numbers and booleans are compared as the text they are written as.
- **Null** (\`field: null\`) is a field that an event does not have; the empty text is a text. The sensor's own events
  have no empty texts: what is empty is missing.
- **Not** is true of an event that does not have the field, and so is \`neq\`.
- **Regular expressions** are RE2's, found anywhere in the text, with regard to case unless \`i\` stands behind \`re\`.
  Look-arounds and back-references are refused.
- **Keywords** are looked for within the texts named below, e.g. a process's command line.
- **Placeholders** are filled in by pipelines; a rule with one that nothing is known of is refused.
- **Conditions** of which there are several in a list are alternatives. \`1 of\`, \`all of\`, \`any of\` and \`N of\`
  take a pattern of names or \`them\`, which leaves out names that begin with an underscore. An aggregation behind
  \`|\` is refused by name: correlations took its place.
- **Filters** narrow the rules they name (id, name or title; \`any\` or none for all of their logsource).
- **Levels** become priorities: critical CRITICAL, high ERROR, medium WARNING, low NOTICE, informational INFORMATIONAL.
- A rule that can never match is skipped, and it is told what it asks for in vain; so it is of one that can match in
  another way.
`.trim();

const LOGSOURCES = `
Categories of \`product: linux\`, or of no product. A rule with \`product: linux\` alone is put to process creations.
The condition is Falco's language.
`.trim();

const AUDITD = `
Rules for \`service: auditd\` see each event as the records that the audit system would write of it, one by one: what a
rule asks for must stand in one record, as in the log. Records are of successful calls. A rule that names no call sees
\`SYSCALL\` records of execve alone, since audit rules choose the calls that are logged; one that names a call in
\`SYSCALL\` sees those of all calls the sensor reports. Keys do not exist. Registers are hexadecimal, as in the log.
`.trim();

const PIPELINES = `
A document with \`transformations\` among the rules is a processing pipeline in pySigma's form. It changes every rule
of Sigma's that is loaded with it, and the filters of that rule, before its fields are looked up; several go in order of
\`priority\`. One that uses what is not listed here is refused as a whole, by name, and so are \`postprocessing\` and
\`finalizers\`, which are about queries. \`vars\` are what \`value_placeholders\` fills in.
`.trim();

const words = (list: Iterable<string>): string => [...list].map((word) => `\`${word}\``).join(" ");

function meaning(term: Term | undefined): string {
  if (!term) return "";
  return term.kind === "text" ? `always ${term.value}` : `\`${termName(term)}\``;
}

function logsourceRows(): string[][] {
  return SERVED.map(({ category, type, condition, only }) => [
    only ? `${category}, where one of ${only.join(", ")} is named` : category,
    type.name,
    `\`${condition}\``,
  ]);
}

function fieldRows(): string[][] {
  const rows = new Map<string, Map<string, string[]>>();
  for (const { type, names } of SERVED) {
    for (const [name, term] of names) {
      const meanings = rows.get(name) ?? new Map<string, string[]>();
      const types = meanings.get(meaning(term)) ?? [];
      if (!types.includes(type.name)) types.push(type.name);
      meanings.set(meaning(term), types);
      rows.set(name, meanings);
    }
  }
  const everywhere = new Set(SERVED.map(({ type }) => type.name)).size;
  return [...rows]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([name, meanings]) =>
      [...meanings].map(([text, types]) => [
        `\`${name}\``,
        types.length === everywhere ? "all" : types.join(", "),
        text,
      ]),
    );
}

function recordRows(): string[][] {
  const ofType = (type: string): View[] =>
    AUDIT.views.filter((view) => meaning(view.field("type")) === `always ${type}`);
  return AUDIT_RECORDS.map((type) => {
    const names = new Set(ofType(type).flatMap((view) => [...(view.names ?? [])]));
    return [`\`${type}\``, [...names].map((name) => `\`${name}\``).join(" ")];
  });
}

/** The page docs/reference/sigma.md. */
export function sigmaReference(): string {
  const parts = [
    "# Sigma",
    "<!-- Made from the code by `node packages/rules/scripts/reference.ts`; edit there. -->",
    INTRODUCTION,
    `Modifiers: ${words(MODIFIER_NAMES)}. What \`base64offset\` makes is found anywhere in the text.`,
    "## Logsources",
    LOGSOURCES,
    table(["category", "event", "which"], logsourceRows()),
    "## Fields",
    table(["field", "events", "from"], fieldRows()),
    "## auditd",
    AUDITD,
    table(["type", "fields"], recordRows()),
    "## Pipelines",
    PIPELINES,
    `Transformations: ${words(["nest", ...transformations.keys()].sort())}`,
    `Conditions of rules: ${words(ruleConditions.keys())}`,
    `Conditions of lines: ${words(itemConditions.keys())}; of names of fields: ${words(fieldConditions.keys())}`,
    "## What is refused",
    table(
      ["service", "why"],
      [...UNSERVED_SERVICES].map(([service, why]) => [`\`${service}\``, why]),
    ),
    "Codes of problems stand in [the reference of the rule language](rules.md).",
  ];
  return `${parts.join("\n\n")}\n`;
}
