// JSON with whole numbers beyond 2^53, as times in ns are, and without what is not known.

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;

/** What is undefined is left out. */
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** One line; a bigint becomes a number with all its digits, which JSON.stringify refuses. */
export function toJson(value: Json): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(toJson).join(",")}]`;
  const members = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [`${JSON.stringify(name)}:${toJson(member)}`],
  );
  return `{${members.join(",")}}`;
}

/** The object without members that say nothing: undefined, empty texts, lists and objects, however deep. */
export function known(object: JsonObject): JsonObject {
  const members = Object.entries(object).flatMap(([name, value]): [string, Json][] => {
    const kept = knownValue(value);
    return kept === undefined ? [] : [[name, kept]];
  });
  return Object.fromEntries(members);
}

function knownValue(value: Json | undefined): Json | undefined {
  if (value === "" || value === undefined) return undefined;
  if (typeof value !== "object" || value === null) return value;
  const kept = isList(value) ? value.map(knownValue).filter((one) => one !== undefined) : known(value);
  return Object.keys(kept).length === 0 ? undefined : kept;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
