// Writes the reference of the rule language from the tables that the code goes by.
import { getOption } from "@bufbuild/protobuf";
import { callsOfEventType, callWords, eventTypes, evt_category } from "@nightjar/proto";
import { ARGUMENTS, type Argument } from "./fields/arguments.ts";
import { FIELDS } from "./fields/catalogue.ts";
import type { Field } from "./fields/definition.ts";
import { RENDERINGS } from "./fields/renderings.ts";
import { FILE_CHARACTERS_MAX } from "./files/read.ts";
import { engineVersion } from "./files/version.ts";
import { CONDITION_PARTS_MAX } from "./language/check.ts";
import { NESTING_MAX } from "./language/parser.ts";
import { TRANSFORMER_ROWS } from "./language/transformers.ts";
import { OPERATORS, QUANTIFIERS } from "./language/words.ts";
import { PROBLEM_CODES } from "./problem.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

const words = (list: Iterable<string>): string => [...list].map((word) => `\`${word}\``).join(" ");

const BRACKETS: Readonly<Record<Field["argument"], string>> = { none: "", allowed: "[…]", required: "[…]" };

function eventsOf(field: Field): string {
  if (field.events.length === eventTypes.length) return "all";
  return eventTypes
    .filter(({ id }) => field.events.includes(id))
    .map(({ name }) => name)
    .join(", ");
}

/** Sets of event types with more members than this are written out once; then it is said which field has the same. */
const EVENTS_REPEATED_MAX = 3;

function servedRows(): string[][] {
  const first = new Map<string, string>();
  return [...FIELDS.values()]
    .filter((field) => field.getter)
    .map((field) => {
      const events = eventsOf(field);
      const same = first.get(events);
      if (same === undefined && field.events.length > EVENTS_REPEATED_MAX && events !== "all")
        first.set(events, field.name);
      return [
        `\`${field.name}${BRACKETS[field.argument]}\``,
        field.type,
        same === undefined ? events : `as \`${same}\``,
        field.from,
      ];
    });
}

/** Event types whose calls have the same arguments are one row; where the calls differ, each list is one. */
function argumentRows(): string[][] {
  return ARGUMENTS.flatMap(({ type, byCall }) => {
    const calls = [...byCall].filter(([call]) => call !== 0);
    const lists = Map.groupBy(calls, ([, list]) => list);
    const category = type.field.message ? getOption(type.field.message, evt_category) : "";
    return [...lists].map(([list, of]) => [
      type.name,
      of.length === calls.length ? words(callsOfEventType.get(type.id) ?? []) : words(of.map(([call]) => word(call))),
      category,
      argumentsText(list),
    ]);
  });
}

const word = (call: number): string => callWords.get(call) ?? "";
const argumentsText = (list: readonly Argument[]): string =>
  list.map(({ name, from }) => `\`${name}\` ${from.replace(/\w+\./g, "")}`).join("; ");

/** Known fields that are not served, together by the reason. */
function missingRows(): string[][] {
  const fields = [...FIELDS.values()].filter((field) => !field.getter);
  return [...Map.groupBy(fields, ({ from }) => from)].map(([reason, list]) => [
    reason,
    words(list.map(({ name }) => name)),
  ]);
}

const LANGUAGE = `
Rules are written in Falco's language (engine ${engineVersion()}): files of lists, macros and rules, with exceptions,
\`append\`, \`override\`, \`enabled\`, \`warn_evttypes\` and \`skip-if-unknown-filter\`. Files are read in order; later
items change earlier ones. An item with a fault is left out and told of with its place; all others load. Where Falco
stops at the first rule that is true of an event, here all that are true match: no rule hides another.

- A field that an event does not have is missing, and every comparison with it is false, \`!=\` too: \`not a = b\` and
  \`a != b\` differ.
- \`regex\` matches the whole string. Its syntax is RE2's, and its time is linear: look-arounds and back references are
  refused.
- \`in\` wants the value, or each of a list's values, among those in parentheses; \`intersects\` one of them. \`pmatch\`
  compares paths component by component.
- Lists are put into conditions as text, and macros as what they stand for; each sees only those defined before it.
- Nothing nests deeper than ${NESTING_MAX}; a condition has at most ${CONDITION_PARTS_MAX} parts when its macros are
  put in, a file at most ${FILE_CHARACTERS_MAX} characters.
- All times are in UTC.
- \`evt.type = write\` and its kin (\`pwrite64\`, \`writev\`, …) are never true, as of all calls that no event type
  reports. What is told of writing to a file is the first write of each opening, under a name of its own,
  \`first_write\`: a rule that means every write should not silently see fewer. \`evt.is_io_write\` and
  \`evt.buflen.file.out\` are there on these events too, and tell of no others.
- A field that Falco knows and we do not serve is missing. A rule that needs it loads without a warning and cannot
  match; event types that no rule can be true of are not sent to the rules at all.
`.trim();

const OUTPUTS = `
An output is text with fields in it: \`%proc.name\`, \`%proc.aname[2]\`, \`%evt.arg.flags\`, or transformers around
them, \`%toupper(proc.name)\`. What is missing prints as \`<NA>\`. A number behind the \`%\` is a width: \`%8proc.name\`
prints eight characters, cut or filled with blanks. Anything else behind a \`%\` refuses the rule.

What Falco's configuration says of outputs stands in rules files, as items of their own, under the same keys:

\`\`\`yaml
- append_output:
    - match: {source: syscall, tags: [persistence], rule: A rule's name} # each may be left out; of tags, all
      extra_output: on %evt.cpu # behind the output
      extra_fields: # beside the fields that the output and the condition name
        - evt.hostname
        - actor: "%proc.name (%proc.pid)"
      suggested_output: true # the container, the pod, and the static fields
- static_fields: # %static.site; conditions may ask for them, too
    site: Berlin
\`\`\`

Entries apply to the rules of all files and add up in their order; of static fields the last value counts.
\`nightjar detections --format falco\` prints detections in the JSON that Falco prints.
`.trim();

const ARGUMENTS_TEXT = `
\`evt.arg.NAME\` and \`evt.arg[NAME]\` are the text of an argument, \`evt.arg[N]\` that of the Nth from 0 on, and
\`evt.rawarg\` the value as the event has it. \`evt.args\` is all of them: \`flags=65(O_WRONLY|O_CREAT)\`. How a
field becomes text stands beside it in \`proto/\`, as the option \`render\`.
`.trim();

/** The page docs/reference/rules.md. */
export function rulesReference(): string {
  const parts = [
    "# The rule language",
    "<!-- Made from the code by `node packages/rules/scripts/reference.ts`; edit there. -->",
    LANGUAGE,
    "## Operators and transformers",
    `Operators: ${words(OPERATORS.map(([word]) => word))}`,
    `Behind an operator that takes a string: ${words(QUANTIFIERS)} and values in parentheses.`,
    `Transformers: ${words(TRANSFORMER_ROWS.keys())}; \`val(field)\` is for the right-hand side.`,
    "## Outputs",
    OUTPUTS,
    "## Fields",
    table(["field", "type", "events", "from"], servedRows()),
    "## Arguments",
    ARGUMENTS_TEXT,
    table(["event", "`evt.type`", "`evt.category`", "arguments, in order, and their fields"], argumentRows()),
    table(
      ["rendering", "e.g."],
      [...RENDERINGS].map(([name, example]) => [`\`${name}\``, example]),
    ),
    "## Fields that are known and always missing",
    table(["why", "fields"], missingRows()),
    "## Problems",
    table(
      ["code", "severity", "what it means"],
      Object.entries(PROBLEM_CODES).map(([code, [severity, text]]) => [`\`${code}\``, severity, text]),
    ),
  ];
  return `${parts.join("\n\n")}\n`;
}
