// What the item `append_output` puts behind the outputs of rules, as Falco's configuration does under the same keys.
import { type Format, parseFormat } from "../engine/format.ts";
import { SUGGESTED_FIELDS } from "../fields/known.ts";
import type { CheckContext } from "../language/check.ts";
import { type Problem, problem } from "../problem.ts";
import { boolean, fail, type ItemName, text, texts } from "./decode.ts";
import { APPEND_OUTPUT_KEYS, APPEND_OUTPUT_MATCH_KEYS } from "./keys.ts";
import type { Rule } from "./load.ts";
import type { MappedText } from "./mapped-text.ts";
import type { MappingValue, Value } from "./yaml.ts";

/** A field that a match carries beside those of its output: a value, or text made of several. */
export interface ExtraField {
  name: string;
  format: Format;
}

/** An entry as it was read. */
interface Entry {
  match: { source?: string; tags: readonly string[]; rule?: string };
  output?: MappedText;
  fields: readonly { name: string; text: MappedText }[];
  suggests: boolean;
}

/** An entry whose texts have been taken apart. */
interface ReadyEntry {
  match: Entry["match"];
  outputs: readonly { text: string; format: Format }[];
  fields: readonly ExtraField[];
}

const ITEM: ItemName = { type: "append_output", name: "" };
const KEYS: ReadonlySet<string> = new Set(Object.keys(APPEND_OUTPUT_KEYS));
const MATCH_KEYS: ReadonlySet<string> = new Set(Object.keys(APPEND_OUTPUT_MATCH_KEYS));

/** All entries of all files, in order. */
export class ExtraOutputs {
  readonly #entries: Entry[] = [];

  /** Takes an item's entries over, and gives warnings. Throws an ItemError where the item is not shaped as one. */
  read(value: Value): Problem[] {
    if (value.kind !== "sequence") return fail("LOAD_ERR_YAML_VALIDATE", "Value is not a sequence", value.place, ITEM);
    const warnings: Problem[] = [];
    const read = value.items.map((each) => entryOf(each, warnings));
    this.#entries.push(...read);
    return warnings;
  }

  /** The rules with what the entries say put behind their outputs, and what is wrong with the entries. */
  apply(rules: Rule[], context: Context): { rules: Rule[]; problems: Problem[] } {
    const problems: Problem[] = [];
    const ready = this.#entries.map((entry) => readyEntry(entry, context, problems));
    if (ready.length === 0) return { rules, problems };
    return {
      rules: rules.map((rule) => ready.filter(({ match }) => matches(match, rule)).reduce(extended, rule)),
      problems,
    };
  }
}

interface Context extends Pick<CheckContext, "findField"> {
  /** Suggested wherever an entry asks for what is suggested. */
  staticNames: readonly string[];
}

function entryOf(value: Value, warnings: Problem[]): Entry {
  const entry = mappingOf(value, KEYS, warnings);
  const match = entry.entries.get("match")?.value;
  const matched = match && mappingOf(match, MATCH_KEYS, warnings);
  const wanted = (key: string): string | undefined =>
    matched?.entries.has(key) ? text(matched, key, ITEM).text : undefined;
  const [source, rule] = [wanted("source"), wanted("rule")];
  return {
    match: {
      tags: (matched && texts(matched, "tags", ITEM, true)) ?? [],
      ...(source !== undefined && { source }),
      ...(rule !== undefined && { rule }),
    },
    ...(entry.entries.has("extra_output") && { output: text(entry, "extra_output", ITEM).mapped() }),
    fields: fieldsOf(entry),
    suggests: boolean(entry, "suggested_output", ITEM, false),
  };
}

function mappingOf(value: Value, known: ReadonlySet<string>, warnings: Problem[]): MappingValue {
  if (value.kind !== "mapping") return fail("LOAD_ERR_YAML_VALIDATE", "Value is not a mapping", value.place, ITEM);
  for (const [key, { key: place }] of value.entries) {
    if (!known.has(key)) warnings.push(problem("LOAD_UNKNOWN_ITEM", `Unknown key '${key}'`, place, ITEM));
  }
  return value;
}

/** A name alone is a field under its own name; with a text behind it, that text is filled in. */
function fieldsOf(entry: MappingValue): Entry["fields"] {
  const value = entry.entries.get("extra_fields")?.value;
  if (!value) return [];
  if (value.kind !== "sequence") return fail("LOAD_ERR_YAML_VALIDATE", "Value is not a sequence", value.place, ITEM);
  return value.items.flatMap((each) => {
    if (each.kind === "mapping") {
      return [...each.entries.keys()].map((name) => ({ name, text: text(each, name, ITEM).mapped() }));
    }
    if (each.kind !== "text") return fail("LOAD_ERR_YAML_VALIDATE", "Value is not a scalar value", each.place, ITEM);
    const name = each.mapped();
    return [{ name: name.text, text: name.replace([{ start: 0, end: 0, text: "%", standsFor: 0 }]) }];
  });
}

function readyEntry(entry: Entry, context: Context, problems: Problem[]): ReadyEntry {
  const formatOf = (text: MappedText): Format | undefined => {
    const result = parseFormat(text.text, context);
    if ("format" in result) return result.format;
    problems.push(problem("LOAD_ERR_COMPILE_OUTPUT", result.message, text.place(result.offset), ITEM));
    return undefined;
  };
  const format = entry.output && formatOf(entry.output);
  const suggested = entry.suggests ? suggestion(context) : "";
  const suggestedFormat = parseFormat(suggested, context);
  return {
    match: entry.match,
    outputs: [
      ...(entry.output && format ? [{ text: entry.output.text, format }] : []),
      ...(suggested !== "" && "format" in suggestedFormat ? [{ text: suggested, format: suggestedFormat.format }] : []),
    ],
    fields: entry.fields.flatMap(({ name, text }) => {
      const made = formatOf(text);
      return made ? [{ name, format: made }] : [];
    }),
  };
}

/** "container_id=%container.id …": what Falco's plugins suggest for every output, and the static fields. */
function suggestion({ staticNames }: Context): string {
  return [...SUGGESTED_FIELDS, ...staticNames].map((name) => `${name.replaceAll(".", "_")}=%${name}`).join(" ");
}

function matches({ source, tags, rule: name }: Entry["match"], rule: Rule): boolean {
  if (source !== undefined && source !== rule.source) return false;
  return (name === undefined || name === rule.name) && tags.every((tag) => rule.tags.includes(tag));
}

function extended(rule: Rule, { outputs, fields }: ReadyEntry): Rule {
  return {
    ...rule,
    output: [rule.output, ...outputs.map(({ text }) => text)].join(" "),
    format: [...rule.format, ...outputs.flatMap(({ format }) => [" ", ...format])],
    extraFields: [...(rule.extraFields ?? []), ...fields],
  };
}
