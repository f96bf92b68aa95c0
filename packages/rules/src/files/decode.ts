// Takes values out of a file's mappings, with Falco's words where one is missing or of the wrong kind.
import { PrioritySchema, wordsOf } from "@nightjar/proto";
import { type Place, type Problem, type ProblemCode, problem } from "../problem.ts";
import type { Entry } from "./items.ts";
import type { MappingValue, TextValue, Value } from "./yaml.ts";

/** Ends the reading of one item or document; caught where they are read, and returned as a problem. */
export class ItemError extends Error {
  readonly problem: Problem;
  constructor(problemFound: Problem) {
    super(problemFound.message);
    this.problem = problemFound;
  }
}

/** What an item is called in problems, e.g. { type: "rule", name: "Shell on a socket" }. */
export type ItemName = NonNullable<Problem["item"]>;

export function fail(code: ProblemCode, message: string, place: Place, item: ItemName): never {
  throw new ItemError(problem(code, message, place, item));
}

const SHAPE = "LOAD_ERR_YAML_VALIDATE";

/** The text at a key that must be there. */
export function text(mapping: MappingValue, key: string, item: ItemName): TextValue {
  const entry = mapping.entries.get(key);
  if (!entry) return fail(SHAPE, `Item has no mapping for key '${key}'`, mapping.place, item);
  const { value } = entry;
  if (value.kind === "text" && value.isNull) return fail(SHAPE, `Mapping for key '${key}' is empty`, entry.key, item);
  if (value.kind !== "text") return fail(SHAPE, "Value is not a scalar value", value.place, item);
  if (value.text === "") return fail(SHAPE, "Value must be non-empty", value.place, item);
  return value;
}

// yaml-cpp's words, each also with a capital or in capitals.
const BOOLEANS = new Map([
  ["y", true],
  ["yes", true],
  ["true", true],
  ["on", true],
  ["n", false],
  ["no", false],
  ["false", false],
  ["off", false],
]);

/** The boolean at a key, or `otherwise` where the key is not there. */
export function boolean<T>(mapping: MappingValue, key: string, item: ItemName, otherwise: T): boolean | T {
  if (!mapping.entries.has(key)) return otherwise;
  const value = text(mapping, key, item);
  return BOOLEANS.get(value.text.toLowerCase()) ?? fail(SHAPE, "Can't decode YAML scalar value", value.place, item);
}

/** The whole number at a key that must be there. */
export function wholeNumber(mapping: MappingValue, key: string, item: ItemName): number {
  const value = text(mapping, key, item);
  if (!/^\d{1,10}$/.test(value.text)) return fail(SHAPE, "Can't decode YAML scalar value", value.place, item);
  return Number(value.text);
}

/** The texts of a sequence at a key; undefined where the key is not there and may be absent. */
export function texts(mapping: MappingValue, key: string, item: ItemName, optional: boolean): string[] | undefined {
  const entry = mapping.entries.get(key);
  if (!entry && optional) return undefined;
  if (!entry) return fail(SHAPE, `Item has no mapping for key '${key}'`, mapping.place, item);
  const { value } = entry;
  if (value.kind !== "sequence") return fail(SHAPE, "Value is not a sequence", value.place, item);
  return value.items.map((each) =>
    each.kind === "text" ? each.text : fail(SHAPE, "sequence value is not scalar", each.place, item),
  );
}

const PRIORITIES = [...wordsOf(PrioritySchema)].map(([number, word]) => [word.toLowerCase(), number] as const);

/** The number of a priority in the enum of detections. Falco takes the beginning of one: INFO, Warn. */
export function priority(mapping: MappingValue, item: ItemName): number {
  const value = text(mapping, "priority", item);
  const wanted = value.text.toLowerCase();
  const found = PRIORITIES.find(([word]) => word.startsWith(wanted));
  return found ? found[1] : fail(SHAPE, "Invalid priority", value.place, item);
}

/** A text, or a sequence of such: what exceptions are made of. */
export function entry(value: Value, item: ItemName): Entry {
  if (value.kind === "sequence") return value.items.map((each) => entry(each, item));
  if (value.kind === "mapping") return fail(SHAPE, "Value is neither a scalar nor a sequence", value.place, item);
  if (value.text === "") return fail(SHAPE, "Value must be non-empty", value.place, item);
  return value.mapped();
}
