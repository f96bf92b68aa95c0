// Reads processing pipelines in pySigma's YAML form: items, each a transformation and the conditions for it.
import type { MappingValue, TextValue, Value } from "../../files/yaml.ts";
import { type Place, type Problem, problem } from "../../problem.ts";
import { fieldConditions, itemConditions, ruleConditions } from "./conditions.ts";
import type { FieldCondition, ItemCondition, Pipeline, PipelineItem, RuleCondition } from "./pipeline.ts";
import { transformations } from "./transformations.ts";

/** Ends the reading of a pipeline; caught in readPipeline. */
class PipelineError extends Error {
  readonly place: Place;
  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

/** The keys of a mapping, taken out as what they have to be; each failure ends the reading. */
export class Parameters {
  readonly #mapping: MappingValue;

  constructor(mapping: MappingValue) {
    this.#mapping = mapping;
  }

  fail(message: string): never {
    throw new PipelineError(message, this.#mapping.place);
  }

  value(key: string): Value | undefined {
    return this.#mapping.entries.get(key)?.value;
  }

  optional(key: string): string | undefined {
    const value = this.value(key);
    if (value && value.kind !== "text") this.fail(`'${key}' must be a text`);
    return value?.kind === "text" && !value.isNull ? value.text : undefined;
  }

  text(key: string): string {
    return this.optional(key) ?? this.fail(`there is no '${key}'`);
  }

  flag(key: string): boolean {
    return /^(?:true|yes)$/i.test(this.optional(key) ?? "");
  }

  scalar(key: string): TextValue {
    const value = this.value(key);
    return value?.kind === "text" ? value : this.fail(`'${key}' must be a plain value`);
  }

  texts(key: string): string[] {
    const value = this.value(key);
    return value ? this.#textsOf(value, key) : this.fail(`there is no '${key}'`);
  }

  /** A mapping of texts to one text or several. */
  map(key: string): Map<string, string[]> {
    const value = this.value(key);
    if (value?.kind !== "mapping") return this.fail(`'${key}' must be a mapping`);
    return new Map([...value.entries].map(([name, entry]) => [name, this.#textsOf(entry.value, name)]));
  }

  #textsOf(value: Value, key: string): string[] {
    const items = value.kind === "sequence" ? value.items : [value];
    return items.map((item) => (item.kind === "text" ? item.text : this.fail(`'${key}' must have plain values`)));
  }

  /** The mappings of a sequence; none where the key is not there. */
  children(key: string): Parameters[] {
    const value = this.value(key);
    if (!value || (value.kind === "text" && value.isNull)) return [];
    if (value.kind !== "sequence") return this.fail(`'${key}' must be a list`);
    return value.items.map((item) =>
      item.kind === "mapping" ? new Parameters(item) : this.fail(`'${key}' must be a list of mappings`),
    );
  }

  /** Keys that are there and are none of those. */
  unknown(known: readonly string[]): string[] {
    return [...this.#mapping.entries.keys()].filter((key) => !known.includes(key));
  }
}

/** What is made of queries, of which there are none here. */
const NOT_SERVED = ["postprocessing", "finalizers"];

/** Reads a pipeline, or tells why it cannot be used. */
export function readPipeline(mapping: MappingValue): Pipeline | Problem {
  const parameters = new Parameters(mapping);
  const named = { type: "pipeline", name: "" };
  try {
    named.name = parameters.optional("name") ?? "";
    for (const key of NOT_SERVED) {
      if (parameters.value(key)) parameters.fail(`'${key}' is about queries, and rules become none here`);
    }
    return {
      name: named.name,
      priority: Number(parameters.optional("priority") ?? 0) || 0,
      variables: parameters.value("vars") ? parameters.map("vars") : new Map(),
      items: parameters.children("transformations").map(readItem),
    };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return problem("SIGMA_PIPELINE", error.message, error.place, named);
  }
}

type Reader<T> = (parameters: Parameters) => T;

function rowOf<T>(table: ReadonlyMap<string, Reader<T>>, what: string, parameters: Parameters): T {
  const type = parameters.text("type");
  const read = table.get(type);
  return read ? read(parameters) : parameters.fail(`the ${what} '${type}' is not served`);
}

/** All of the conditions, or one of them (`_cond_op: or`), or not (`_cond_not`). */
function conditionsOf<C extends (...given: never[]) => boolean>(
  parameters: Parameters,
  kind: "rule" | "detection_item" | "field_name",
  table: ReadonlyMap<string, Reader<C>>,
): C {
  if (parameters.optional(`${kind}_cond_expr`) !== undefined) {
    parameters.fail(`'${kind}_cond_expr' is not served: write ${kind}_cond_op`);
  }
  const list = parameters.children(`${kind}_conditions`).map((child) => rowOf(table, `${kind} condition`, child));
  const either = parameters.optional(`${kind}_cond_op`) === "or";
  const negated = parameters.flag(`${kind}_cond_not`);
  const holds = (...given: Parameters2<C>): boolean => {
    if (list.length === 0) return true;
    const found = either ? list.some((each) => each(...given)) : list.every((each) => each(...given));
    return found !== negated;
  };
  return holds as unknown as C;
}

type Parameters2<C extends (...given: never[]) => boolean> = C extends (...given: infer G) => boolean ? G : never;

function readItem(parameters: Parameters): PipelineItem {
  const id = parameters.optional("id");
  return {
    ...(id !== undefined && { id }),
    type: parameters.text("type"),
    ofRule: conditionsOf<RuleCondition>(parameters, "rule", ruleConditions),
    ofItem: conditionsOf<ItemCondition>(parameters, "detection_item", itemConditions),
    ofField: conditionsOf<FieldCondition>(parameters, "field_name", fieldConditions),
    transformation:
      parameters.text("type") === "nest"
        ? { kind: "nest", items: parameters.children("items").map(readItem) }
        : rowOf(transformations, "transformation", parameters),
  };
}
