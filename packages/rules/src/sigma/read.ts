// Reads a document of Sigma: what it says of itself, its logsource, its detections and conditions.

import { fail, type ItemName } from "../files/decode.ts";
import type { MappingValue, TextValue, Value } from "../files/yaml.ts";
import { type Place, type Problem, type ProblemCode, problem } from "../problem.ts";
import { type Condition, parseSigmaCondition } from "./condition.ts";
import { DetectionReader } from "./detection.ts";
import type { Detection } from "./value.ts";
import type { Logsource } from "./view.ts";

/** Detections by their names, and the conditions of which one must hold. */
export interface Detections {
  detections: Map<string, Detection>;
  conditions: { text: string; condition: Condition; written: TextValue }[];
}

/** A rule as it stands; pipelines change it before it is lowered. */
export interface SigmaRule extends Detections {
  title: string;
  id?: string;
  alias?: string;
  description: string;
  status: string;
  level: string;
  tags: string[];
  logsource?: Logsource;
  /** Fields that are of interest in an alert, by the rule. */
  fields: string[];
  place: Place;
  item: ItemName;
}

/** A filter: what rules it narrows and to what. */
export interface SigmaFilter extends Detections {
  title: string;
  logsource?: Logsource;
  /** Ids, names or titles; "any" for all rules of its logsource. */
  rules: readonly string[] | "any";
  place: Place;
  item: ItemName;
}

type Warn = (problem: Problem) => void;

const TITLE_CHARACTERS_MAX = 256;

function optionalText(mapping: MappingValue, key: string): string | undefined {
  const value = mapping.entries.get(key)?.value;
  return value?.kind === "text" && !value.isNull ? value.text : undefined;
}

function textsOf(mapping: MappingValue, key: string): string[] {
  const value = mapping.entries.get(key)?.value;
  const items = value?.kind === "sequence" ? value.items : [];
  return items.flatMap((item) => (item.kind === "text" && !item.isNull ? [item.text] : []));
}

/** The item's name in problems: the title, or where it stands. */
function titleOf(mapping: MappingValue, type: string, warn: Warn): { title: string; item: ItemName } {
  const { place } = mapping;
  const entry = mapping.entries.get("title");
  const nameless = `${type} at ${place.file}:${place.line}`;
  if (!entry || (entry.value.kind === "text" && entry.value.isNull)) {
    const item = { type, name: nameless };
    warn(problem("SIGMA_KEY_MISSING", `the ${type} has no title`, place, item));
    return { title: nameless, item };
  }
  const { value } = entry;
  const item = { type, name: value.kind === "text" ? value.text : nameless };
  if (value.kind !== "text") return fail("SIGMA_SHAPE", "the title must be a text", value.place, item);
  if (value.text.length > TITLE_CHARACTERS_MAX) {
    fail("SIGMA_SHAPE", `the title has more than ${TITLE_CHARACTERS_MAX} characters`, value.place, item);
  }
  return { title: value.text, item };
}

const LOGSOURCE_KEYS = ["category", "product", "service"] as const;

function logsourceOf(mapping: MappingValue, item: ItemName): Logsource | undefined {
  const value = mapping.entries.get("logsource")?.value;
  if (!value || (value.kind === "text" && value.isNull)) return undefined;
  if (value.kind !== "mapping") return fail("SIGMA_SHAPE", "logsource must be a mapping", value.place, item);
  const found: Logsource = {};
  for (const key of LOGSOURCE_KEYS) {
    const part = value.entries.get(key)?.value;
    if (!part || (part.kind === "text" && part.isNull)) continue;
    if (part.kind !== "text") fail("SIGMA_SHAPE", `logsource ${key} must be a text`, part.place, item);
    else found[key] = part.text.toLowerCase();
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

/** Keys that stand beside detections and are none. */
const NO_DETECTIONS = ["condition", "timeframe", "rules"];

function detectionsOf(mapping: MappingValue, key: "detection" | "filter", item: ItemName): Detections {
  const entry = mapping.entries.get(key);
  if (!entry) return fail("SIGMA_SHAPE", `there is no '${key}'`, mapping.place, item);
  const { value } = entry;
  if (value.kind !== "mapping") return fail("SIGMA_SHAPE", `'${key}' must be a mapping`, value.place, item);
  const reader = new DetectionReader(item);
  const detections = new Map<string, Detection>();
  for (const [name, { value: detection }] of value.entries) {
    if (!NO_DETECTIONS.includes(name)) detections.set(name, reader.read(detection));
  }
  if (detections.size === 0) fail("SIGMA_SHAPE", `'${key}' has no detections`, value.place, item);
  const condition = value.entries.get("condition");
  if (!condition) return fail("SIGMA_SHAPE", `'${key}' has no condition`, value.place, item);
  return { detections, conditions: conditionsOf(condition.value, item) };
}

function conditionsOf(value: Value, item: ItemName): Detections["conditions"] {
  const texts = value.kind === "sequence" ? value.items : [value];
  if (texts.length === 0) fail("SIGMA_CONDITION", "the condition is empty", value.place, item);
  return texts.map((text) => {
    if (text.kind !== "text") return fail("SIGMA_CONDITION", "a condition must be a text", text.place, item);
    const result = parseSigmaCondition(text.text);
    if ("condition" in result) return { text: text.text, condition: result.condition, written: text };
    const { code, message, offset } = result.fault;
    return fail(code, message, text.mapped().place(offset), item);
  });
}

/** Reads a rule. Throws an ItemError with the first fault. */
export function readRule(mapping: MappingValue, warn: Warn): SigmaRule {
  const { title, item } = titleOf(mapping, "rule", warn);
  const logsource = logsourceOf(mapping, item);
  const id = optionalText(mapping, "id");
  const alias = optionalText(mapping, "name");
  const note = (code: ProblemCode, message: string): void => warn(problem(code, message, mapping.place, item));
  if (!logsource) note("SIGMA_KEY_MISSING", "the rule has no logsource");
  const level = optionalText(mapping, "level")?.toLowerCase() ?? "medium";
  return {
    ...detectionsOf(mapping, "detection", item),
    title,
    ...(id !== undefined && { id }),
    ...(alias !== undefined && { alias }),
    description: optionalText(mapping, "description")?.trim() ?? "",
    status: optionalText(mapping, "status")?.toLowerCase() ?? "",
    level,
    tags: textsOf(mapping, "tags"),
    ...(logsource && { logsource }),
    fields: textsOf(mapping, "fields"),
    place: mapping.place,
    item,
  };
}

/** Reads a filter. Throws an ItemError with the first fault. */
export function readFilter(mapping: MappingValue, warn: Warn): SigmaFilter {
  const { title, item } = titleOf(mapping, "filter", warn);
  const logsource = logsourceOf(mapping, item);
  const detections = detectionsOf(mapping, "filter", item);
  const filter = mapping.entries.get("filter")?.value as MappingValue;
  const rules = filter.entries.get("rules")?.value;
  const named = rules?.kind === "text" && !rules.isNull ? [rules.text] : textsOf(filter, "rules");
  const any = named.length === 0 || (named.length === 1 && named[0]?.toLowerCase() === "any");
  return {
    ...detections,
    title,
    ...(logsource && { logsource }),
    rules: any ? "any" : named,
    place: mapping.place,
    item,
  };
}
