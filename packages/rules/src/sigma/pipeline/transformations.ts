// The transformations of pipelines, as rows of a table: each reads its parameters and gives what changes a rule.
import { parseSigmaCondition } from "../condition.ts";
import { DetectionReader, plainValue } from "../detection.ts";
import { withPlaceholderValues } from "../placeholders.ts";
import { joined, MANY, mapText, type Pattern, readPattern } from "../text.ts";
import type { Detection, Item, SigmaValue } from "../value.ts";
import { expressionOf, writtenValue } from "./conditions.ts";
import type { Parameters } from "./document.ts";
import type { Transformation } from "./pipeline.ts";

type Row = (parameters: Parameters) => Transformation;

const ofItem = (apply: (item: Item) => Detection | undefined): Transformation => ({ kind: "item", apply });

/** Changes a line's values; those a modifier made of one, too. */
function ofValues(change: (value: SigmaValue) => SigmaValue): Transformation {
  const deep = (value: SigmaValue): SigmaValue =>
    value.kind === "any" ? { kind: "any", values: value.values.map(deep) } : change(value);
  return ofItem((item) => ({
    ...item,
    values: item.values.map(({ value, place }) => ({ value: deep(value), place })),
  }));
}

/** Gives lines other names of fields; with several, one of them is enough. References to fields are renamed too. */
function renaming(rename: (field: string) => readonly string[]): Transformation {
  const reference = (value: SigmaValue): SigmaValue => {
    if (value.kind !== "field") return value;
    const [name = value.name] = rename(value.name);
    return { ...value, name };
  };
  return ofItem((item) => {
    const values = item.values.map(({ value, place }) => ({ value: reference(value), place }));
    if (item.field === undefined) return { ...item, values };
    const parts = rename(item.field).map((field) => ({ ...item, field, values }));
    return parts.length === 1 ? (parts[0] as Item) : { kind: "any", parts, place: item.place };
  });
}

function prefixMapping(parameters: Parameters): Transformation {
  const mapping = parameters.map("mapping");
  return renaming((field) => {
    for (const [prefix, others] of mapping) {
      if (field.startsWith(prefix)) return others.map((other) => other + field.slice(prefix.length));
    }
    return [field];
  });
}

let addedConditions = 0;

/** More lines, which must hold too or, negated, must not. */
function addCondition(parameters: Parameters): Transformation {
  const conditions = parameters.value("conditions");
  if (conditions?.kind !== "mapping") return parameters.fail("'conditions' must be a mapping");
  const name = parameters.optional("name") ?? `_added_${++addedConditions}`;
  const negated = parameters.flag("negated");
  const detection = new DetectionReader({ type: "pipeline", name }).read(conditions);
  return {
    kind: "rule",
    apply: (rule) => ({
      ...rule,
      detections: new Map([...rule.detections, [name, detection]]),
      conditions: rule.conditions.map((each) => {
        const text = `${negated ? "not " : ""}${name} and (${each.text})`;
        const result = parseSigmaCondition(text);
        return "condition" in result ? { ...each, text, condition: result.condition } : each;
      }),
    }),
  };
}

function changeLogsource(parameters: Parameters): Transformation {
  const parts = (["category", "product", "service"] as const).flatMap((key) => {
    const value = parameters.optional(key);
    return value === undefined ? [] : [[key, value.toLowerCase()]];
  });
  return { kind: "rule", apply: (rule) => ({ ...rule, logsource: Object.fromEntries(parts) }) };
}

function replaceString(parameters: Parameters): Transformation {
  const expression = expressionOf(parameters, parameters.text("regex"));
  // Python's \1 is RE2JS's $1.
  const replacement = (parameters.optional("replacement") ?? "").replaceAll("$", "\\$").replace(/\\(\d)/g, "$$$1");
  const replace = (text: string): string => expression.matcher(text).replaceAll(replacement);
  const skips = parameters.flag("skip_special");
  const change = (pattern: Pattern, written: string): Pattern =>
    skips ? joined(mapText(pattern, replace) as Pattern[number][]) : readPattern(replace(written));
  return ofValues((value) => {
    if (value.kind !== "string") return value;
    return { ...value, pattern: change(value.pattern, writtenValue(value) ?? "") };
  });
}

function mapString(parameters: Parameters): Transformation {
  const mapping = parameters.map("mapping");
  return ofValues((value) => {
    const others = value.kind === "string" ? mapping.get(writtenValue(value) ?? "") : undefined;
    if (!others || value.kind !== "string") return value;
    const values = others.map((other) => ({ ...value, pattern: readPattern(other) }));
    return values.length === 1 ? (values[0] as SigmaValue) : { kind: "any", values };
  });
}

const CASES: Readonly<Record<string, (text: string) => string>> = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
};

function changeCase(parameters: Parameters): Transformation {
  const method = parameters.optional("method") ?? "lower";
  const change = CASES[method] ?? parameters.fail(`the case '${method}' is not served`);
  return ofValues((value) => (value.kind === "string" ? { ...value, pattern: mapText(value.pattern, change) } : value));
}

function convertType(parameters: Parameters): Transformation {
  const target = parameters.text("target_type");
  if (target !== "str" && target !== "num") return parameters.fail(`the type '${target}' is not served`);
  return ofValues((value) => {
    const written = writtenValue(value);
    if (written === undefined) return value;
    if (target === "str") return { kind: "string", pattern: readPattern(written), cased: false };
    const number = Number(written);
    return Number.isNaN(number) || written === "" ? value : { kind: "number", number, text: String(number) };
  });
}

/** Which placeholders an item is about: those in `include`, or all but those in `exclude`. */
function placeholderFilter(parameters: Parameters): (name: string) => boolean {
  const include = parameters.value("include") ? parameters.texts("include") : undefined;
  const exclude = parameters.value("exclude") ? parameters.texts("exclude") : [];
  return (name) => (include ? include.includes(name) : !exclude.includes(name));
}

/** Fills in the placeholders that `valuesOf` knows; others stay for later items, and at last for the settings. */
function fillPlaceholders(item: Item, known: ReadonlyMap<string, readonly string[]>, wants: (name: string) => boolean) {
  const mine = new Map([...known].filter(([name]) => wants(name)));
  const fits = (value: SigmaValue): boolean => {
    if (value.kind === "any") return value.values.some(fits);
    if (value.kind !== "string") return false;
    return value.pattern.some((part) => "placeholder" in part) && allKnown(value.pattern, mine);
  };
  const values = item.values.map((each) => {
    if (!fits(each.value)) return each;
    const filled = withPlaceholderValues({ ...item, values: [each] }, mine, () => {
      throw new Error("a placeholder that was known is not");
    }) as Item;
    return filled.values[0] as typeof each;
  });
  return { ...item, values };
}

function allKnown(pattern: Pattern, known: ReadonlyMap<string, unknown>): boolean {
  return pattern.every((part) => !("placeholder" in part) || known.has(part.placeholder));
}

function wildcardPlaceholders(parameters: Parameters): Transformation {
  const wants = placeholderFilter(parameters);
  return ofValues((value) => {
    if (value.kind !== "string") return value;
    const pattern = value.pattern.map((part) => ("placeholder" in part && wants(part.placeholder) ? MANY : part));
    return { ...value, pattern };
  });
}

const rows: readonly (readonly [type: string, row: Row])[] = [
  [
    "field_name_mapping",
    (parameters) => {
      const mapping = parameters.map("mapping");
      return renaming((field) => mapping.get(field) ?? [field]);
    },
  ],
  ["field_name_prefix_mapping", prefixMapping],
  [
    "field_name_prefix",
    (parameters) => {
      const prefix = parameters.text("prefix");
      return renaming((field) => [prefix + field]);
    },
  ],
  [
    "field_name_suffix",
    (parameters) => {
      const suffix = parameters.text("suffix");
      return renaming((field) => [field + suffix]);
    },
  ],
  ["drop_detection_item", () => ofItem(() => undefined)],
  ["add_condition", addCondition],
  ["change_logsource", changeLogsource],
  ["replace_string", replaceString],
  ["map_string", mapString],
  [
    "set_value",
    (parameters) => {
      const value = plainValue(parameters.scalar("value"));
      return ofValues(() => value);
    },
  ],
  ["case", changeCase],
  ["convert_type", convertType],
  [
    "value_placeholders",
    (parameters) => {
      const wants = placeholderFilter(parameters);
      return { kind: "item", apply: (item, { variables }) => fillPlaceholders(item, variables, wants) };
    },
  ],
  ["wildcard_placeholders", wildcardPlaceholders],
  [
    "set_state",
    (parameters) => {
      const [key, value] = [parameters.text("key"), parameters.optional("val") ?? parameters.text("value")];
      return {
        kind: "rule",
        apply: (rule, { values }) => {
          values.set(key, value);
          return rule;
        },
      };
    },
  ],
  ["rule_failure", (parameters) => ({ kind: "failure", of: "rule", message: parameters.text("message") })],
  ["detection_item_failure", (parameters) => ({ kind: "failure", of: "item", message: parameters.text("message") })],
];

/** Every transformation that is served, but for `nest`, which holds others. */
export const transformations: ReadonlyMap<string, Row> = new Map(rows);
