// Reads detections: maps of fields, lists of maps, keywords; each line with its modifiers put to its values.

import { parseNetwork } from "../fields/address.ts";
import { fail, type ItemName } from "../files/decode.ts";
import type { TextValue, Value } from "../files/yaml.ts";
import type { Place, ProblemCode } from "../problem.ts";
import { regexFault } from "./lower.ts";
import { type Fault, LINE_MODIFIERS, modified } from "./modifiers.ts";
import { readPattern } from "./text.ts";
import type { Detection, Item, PlacedValue, SigmaValue } from "./value.ts";

/** How many values a document may have, with what its modifiers make of them. */
const VALUES_MAX = 100_000;

/** Reads the detections of one document. */
export class DetectionReader {
  readonly #item: ItemName;
  #values = 0;

  constructor(item: ItemName) {
    this.#item = item;
  }

  /** A detection: of a mapping all lines must hold; of a list one part; plain values are keywords. */
  read(value: Value): Detection {
    const { place } = value;
    if (value.kind === "text") return this.#line(undefined, [], [value], place);
    if (value.kind === "mapping") {
      if (value.entries.size === 0) this.#fail("SIGMA_SHAPE", "a detection is empty", place);
      const parts = [...value.entries].map(([key, entry]) => this.#entry(key, entry.value, entry.key));
      return parts.length === 1 ? (parts[0] as Detection) : { kind: "all", parts, place };
    }
    if (value.items.length === 0) this.#fail("SIGMA_SHAPE", "a detection is empty", place);
    const texts = value.items.filter((item) => item.kind === "text");
    if (texts.length === value.items.length) return this.#line(undefined, [], texts, place);
    return { kind: "any", parts: value.items.map((item) => this.read(item)), place };
  }

  #fail(code: ProblemCode, message: string, place: Place): never {
    return fail(code, message, place, this.#item);
  }

  /** `field|modifier|modifier: value`; without a field the values are keywords. */
  #entry(key: string, value: Value, place: Place): Detection {
    const [field = "", ...modifiers] = key.split("|");
    const texts = value.kind === "sequence" ? value.items : [value];
    const values = texts.map((each) =>
      each.kind === "text" ? each : this.#fail("SIGMA_SHAPE", `a value of '${key}' is no plain value`, each.place),
    );
    return this.#line(field === "" ? undefined : field, modifiers, values, place);
  }

  #line(field: string | undefined, modifiers: string[], texts: TextValue[], place: Place): Item {
    const repeated = modifiers.find((name, at) => modifiers.indexOf(name) !== at && LINE_MODIFIERS.includes(name));
    if (repeated) this.#fail("SIGMA_MODIFIER_CHAIN", `the modifier '${repeated}' stands twice`, place);
    const values = texts.map((text) => this.#value(text, modifiers, field !== undefined));
    const fieldPart = field === undefined ? {} : { field };
    // A list without values is what no field can be.
    return {
      kind: "item",
      ...fieldPart,
      values,
      all: modifiers.includes("all"),
      negated: modifiers.includes("neq"),
      place,
    };
  }

  #value(text: TextValue, modifiers: string[], hasField: boolean): PlacedValue {
    const { place } = text;
    if (!hasField && text.isNull) this.#fail("SIGMA_VALUE", "a keyword is empty", place);
    const value = modified(plainValue(text), text.text, modifiers, hasField);
    if ("code" in value) return this.#fail(value.code, value.message, place);
    const found = this.#check(value);
    if (found) this.#fail(found.code, found.message, place);
    return { value, place };
  }

  #check(value: SigmaValue): Fault | undefined {
    if (++this.#values > VALUES_MAX) return { code: "SIGMA_TOO_LARGE", message: `more than ${VALUES_MAX} values` };
    if (value.kind === "any") return value.values.map((each) => this.#check(each)).find((each) => each !== undefined);
    if (value.kind === "regex") {
      const message = regexFault(value.expression, value.flags);
      return message === undefined ? undefined : { code: "SIGMA_REGEX", message };
    }
    if (value.kind !== "network" || parseNetwork(value.network)) return undefined;
    return { code: "SIGMA_VALUE", message: `'${value.network}' is no network, such as 10.0.0.0/8` };
  }
}

/** What a value is by itself: YAML's core schema, in which only plain scalars are anything but text. */
export function plainValue({ text, plain, isNull }: TextValue): SigmaValue {
  if (isNull) return { kind: "null" };
  if (plain && /^(?:true|false)$/i.test(text)) return { kind: "boolean", value: text.toLowerCase() === "true" };
  if (plain && NUMBER.test(text)) return numberOf(text);
  return { kind: "string", pattern: readPattern(text), cased: false };
}

const NUMBER = /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/;

function numberOf(text: string): SigmaValue {
  const number = Number(text);
  // Longer integers than a double holds keep their digits.
  return {
    kind: "number",
    number,
    text: Number.isSafeInteger(number) || !/^[0-9]+$/.test(text) ? String(number) : text,
  };
}
