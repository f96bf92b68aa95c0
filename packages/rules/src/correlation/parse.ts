// Reads a correlation document (Sigma's specification 2.1) into its parts; its rules are found later (resolve.ts).
import { fail, type ItemName, text } from "../files/decode.ts";
import type { MappingValue, TextValue, Value } from "../files/yaml.ts";
import { type Place, type Problem, problem } from "../problem.ts";
import type { Bound, BoundOperator, CorrelationType } from "./correlation.ts";
import { ENTRIES_PER_GROUP_MAX } from "./window.ts";
import { PRIORITIES, TYPES, UNITS } from "./words.ts";

/** How far apart the matches of a correlation may be: what a host can be expected to keep for it. */
export const TIMESPAN_S_MAX = 31 * 24 * 3_600;
/** How many rules one correlation may be about, and fields it may group by or count. */
const REFERENCES_MAX = 64;

/** A correlation as it is written. */
export interface ParsedCorrelation {
  title: string;
  /** By what others may refer to it, beside its title. */
  labels: readonly string[];
  description: string;
  tags: readonly string[];
  /** Undefined where it says no level: then it has the worst of its rules. */
  priority: number | undefined;
  place: Place;
  type: CorrelationType;
  rules: readonly TextValue[];
  groupBy: readonly TextValue[];
  /** For each alias, the field by the name of a rule. */
  aliases: ReadonlyMap<string, ReadonlyMap<string, string>>;
  timespanUs: number;
  bounds: readonly Bound[];
  /** The condition where it is an expression over the rules. */
  expression: TextValue | undefined;
  fields: readonly string[];
  fieldPlace: Place;
  percentile: number | undefined;
  /** Whether its rules give detections of their own, where it says. */
  generate: boolean | undefined;
}

const INVALID = "CORRELATION_INVALID";
const OPERATORS: readonly BoundOperator[] = ["gt", "gte", "lt", "lte", "eq", "neq"];
/** Keys of the correlation part; others are passed over with a warning. */
const KEYS = new Set(["type", "rules", "aliases", "group-by", "timespan", "timeframe", "condition", "generate"]);
const MEDIAN_PERCENT = 50;
const US_PER_S = 1_000_000;

/** Throws an ItemError where it is no correlation; adds warnings to `problems`. */
export function parseCorrelation(document: MappingValue, problems: Problem[]): ParsedCorrelation {
  const title = text(document, "title", { type: "correlation", name: "" }).text;
  const item: ItemName = { type: "correlation", name: title };
  const body = document.entries.get("correlation")?.value;
  if (body?.kind !== "mapping") fail(INVALID, "'correlation' must be a mapping", body?.place ?? document.place, item);
  for (const [key, { key: place }] of body.entries) {
    if (KEYS.has(key)) continue;
    problems.push(problem("LOAD_UNKNOWN_ITEM", `'${key}' is no key of a correlation; it is ignored`, place, item));
  }
  return new CorrelationReader(document, body, title, item).read();
}

class CorrelationReader {
  readonly #document: MappingValue;
  readonly #body: MappingValue;
  readonly #title: string;
  readonly #item: ItemName;

  constructor(document: MappingValue, body: MappingValue, title: string, item: ItemName) {
    this.#document = document;
    this.#body = body;
    this.#title = title;
    this.#item = item;
  }

  read(): ParsedCorrelation {
    const type = this.#type();
    const condition = this.#condition(type);
    const labels = ["id", "name"].flatMap((key) => this.#textOf(this.#document, key)?.text ?? []);
    return {
      title: this.#title,
      labels,
      description: this.#textOf(this.#document, "description")?.text ?? "",
      tags: this.#texts(this.#document, "tags").map((tag) => tag.text),
      priority: this.#priority(),
      place: this.#document.place,
      type,
      rules: this.#rules(),
      groupBy: this.#texts(this.#body, "group-by"),
      aliases: this.#aliases(),
      timespanUs: this.#timespanUs(),
      ...condition,
      generate: this.#generate(),
    };
  }

  #fail(message: string, place: Place): never {
    fail(INVALID, message, place, this.#item);
  }

  #textOf(mapping: MappingValue, key: string): TextValue | undefined {
    const value = mapping.entries.get(key)?.value;
    return value?.kind === "text" && !value.isNull ? value : undefined;
  }

  /** The texts at a key, one or several; none where it is not there. */
  #texts(mapping: MappingValue, key: string): TextValue[] {
    const value = mapping.entries.get(key)?.value;
    if (!value || (value.kind === "text" && value.isNull)) return [];
    const items: readonly Value[] = value.kind === "sequence" ? value.items : [value];
    if (items.length > REFERENCES_MAX) this.#fail(`'${key}' has more than ${REFERENCES_MAX} entries`, value.place);
    return items.map((one) => (one.kind === "text" ? one : this.#fail(`'${key}' must be a list of texts`, one.place)));
  }

  #type(): CorrelationType {
    const written = text(this.#body, "type", this.#item);
    const type = TYPES.find((one) => one === written.text);
    return type ?? this.#fail(`'${written.text}' is no type of correlation`, written.place);
  }

  #rules(): TextValue[] {
    const rules = this.#texts(this.#body, "rules");
    if (rules.length === 0) this.#fail("a correlation needs 'rules'", this.#body.place);
    return rules;
  }

  #priority(): number | undefined {
    const written = this.#textOf(this.#document, "level") ?? this.#textOf(this.#document, "priority");
    if (!written) return undefined;
    return PRIORITIES.get(written.text.toLowerCase()) ?? this.#fail(`'${written.text}' is no level`, written.place);
  }

  #timespanUs(): number {
    const key = this.#body.entries.has("timespan") ? "timespan" : "timeframe";
    const written = text(this.#body, this.#body.entries.has(key) ? key : "timespan", this.#item);
    const match = /^([1-9][0-9]{0,8})([smhdwMy])$/.exec(written.text.trim());
    if (!match) this.#fail(`'${written.text}' is no timespan, such as 30s, 5m, 1h or 1d`, written.place);
    const seconds = Number(match[1]) * (UNITS.get(match[2] as string) ?? 0);
    if (seconds > TIMESPAN_S_MAX) {
      const message = `the timespan ${written.text} is longer than the ${TIMESPAN_S_MAX} s that matches are kept`;
      fail("CORRELATION_TOO_LONG", message, written.place, this.#item);
    }
    return seconds * US_PER_S;
  }

  #aliases(): Map<string, ReadonlyMap<string, string>> {
    const aliases = new Map<string, ReadonlyMap<string, string>>();
    const value = this.#body.entries.get("aliases")?.value;
    if (!value || (value.kind === "text" && value.isNull)) return aliases;
    if (value.kind !== "mapping") this.#fail("'aliases' must be a mapping", value.place);
    for (const [alias, { value: rules }] of value.entries) {
      if (rules.kind !== "mapping") this.#fail(`the alias '${alias}' must say a field for each rule`, rules.place);
      const fields = new Map<string, string>();
      for (const rule of rules.entries.keys()) fields.set(rule, text(rules, rule, this.#item).text);
      aliases.set(alias, fields);
    }
    return aliases;
  }

  #generate(): boolean | undefined {
    const written = this.#textOf(this.#body, "generate") ?? this.#textOf(this.#document, "generate");
    if (!written) return undefined;
    const value = { true: true, false: false }[written.text.toLowerCase()];
    return value ?? this.#fail("'generate' must be true or false", written.place);
  }

  #condition(type: CorrelationType) {
    const entry = this.#body.entries.get("condition");
    const temporal = type.startsWith("temporal");
    const nothing = { bounds: [], fields: [], expression: undefined, percentile: undefined };
    if (!entry) {
      if (temporal) return { ...nothing, fieldPlace: this.#body.place };
      return this.#fail(`a correlation of type ${type} needs a condition`, this.#body.place);
    }
    const { value } = entry;
    if (value.kind === "text" && temporal) return { ...nothing, expression: value, fieldPlace: value.place };
    if (value.kind !== "mapping") return this.#fail("a condition is a mapping such as 'gte: 10'", value.place);
    const bounds = this.#bounds(value, type);
    const fields = this.#texts(value, "field").map((field) => field.text);
    if (type.startsWith("value_") && fields.length === 0)
      this.#fail(`a correlation of type ${type} needs a 'field' in its condition`, value.place);
    if (fields.length > 1 && type !== "value_count") this.#fail(`type ${type} takes one field`, value.place);
    const counts = type.startsWith("value_");
    const percentile = this.#percentile(value);
    return { ...nothing, bounds, fields: counts ? fields : [], fieldPlace: value.place, percentile };
  }

  #bounds(mapping: MappingValue, type: CorrelationType): Bound[] {
    const counts = type === "event_count" || type === "value_count";
    const bounds = OPERATORS.flatMap((operator): Bound[] => {
      if (!mapping.entries.has(operator)) return [];
      const written = text(mapping, operator, this.#item);
      const value = Number(written.text);
      if (!Number.isFinite(value)) this.#fail(`'${written.text}' is no number`, written.place);
      if (counts && value > ENTRIES_PER_GROUP_MAX)
        this.#fail(`no more than ${ENTRIES_PER_GROUP_MAX} matches of a group are counted`, written.place);
      return [{ operator, value }];
    });
    if (bounds.length === 0) this.#fail(`a condition needs one of ${OPERATORS.join(", ")}`, mapping.place);
    return bounds;
  }

  #percentile(mapping: MappingValue): number {
    const written = this.#textOf(mapping, "percentile");
    if (!written) return MEDIAN_PERCENT;
    const value = Number(written.text);
    return value >= 0 && value <= 100 ? value : this.#fail("a percentile is between 0 and 100", written.place);
  }
}
