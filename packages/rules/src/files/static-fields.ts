// Fields that rules files give a value themselves: `static.site` is what the item `static_fields` says of `site`.
import type { Field } from "../fields/definition.ts";
import { ownField } from "../fields/own-field.ts";
import type { CheckContext } from "../language/check.ts";
import { fail, text } from "./decode.ts";
import type { MappingValue, Value } from "./yaml.ts";

const PREFIX = "static.";
const ITEM = { type: "static_fields", name: "" };

/** The static fields read so far, beside those that are found otherwise. */
export class StaticFields {
  readonly #fields = new Map<string, Field>();

  /** All of them, in the order in which they were first defined. */
  get names(): string[] {
    return [...this.#fields.keys()];
  }

  /** Takes an item's fields over; a later value replaces an earlier one. Throws an ItemError where one is none. */
  read(value: Value): void {
    if (value.kind !== "mapping") fail("LOAD_ERR_YAML_VALIDATE", "Value is not a mapping", value.place, ITEM);
    const read = [...value.entries.keys()].map((name) => fieldOf(name, value));
    for (const field of read) this.#fields.set(field.name, field);
  }

  findField: CheckContext["findField"] = (name, argument) => {
    const field = this.#fields.get(name);
    return field && (argument === undefined ? { field } : { field, argument });
  };
}

function fieldOf(name: string, mapping: MappingValue): Field {
  const { text: value, place } = text(mapping, name, ITEM);
  if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name)) {
    fail("LOAD_ERR_YAML_VALIDATE", `'${name}' is no name for a field: letters, digits and underscores`, place, ITEM);
  }
  return { ...ownField(`${PREFIX}${name}`, "string", "static_fields", () => value), valuesOn: () => [value] };
}
