// Reads parts of JSON that somebody else wrote: what is not of the expected kind reads as empty, and nothing throws.

export type Json = Readonly<Record<string, unknown>>;

const NOTHING: Json = {};

/** The value below some keys; undefined where one is not there. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) found = isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return found;
}

/** The object below some keys; an empty one where there is none. */
export function objectAt(value: unknown, ...keys: readonly string[]): Json {
  const found = at(value, ...keys);
  return isRecord(found) ? found : NOTHING;
}

/** Undefined where there is neither true nor false. */
export function booleanAt(value: unknown, ...keys: readonly string[]): boolean | undefined {
  const found = at(value, ...keys);
  return typeof found === "boolean" ? found : undefined;
}

/** A whole number; undefined for all else. */
export function integerAt(value: unknown, ...keys: readonly string[]): bigint | undefined {
  const found = at(value, ...keys);
  return typeof found === "number" && Number.isSafeInteger(found) ? BigInt(found) : undefined;
}

export function textAt(value: unknown, ...keys: readonly string[]): string {
  const found = at(value, ...keys);
  return typeof found === "string" ? found : "";
}

export function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found : [];
}

export function textsAt(value: unknown, ...keys: readonly string[]): string[] {
  return listAt(value, ...keys).filter((one) => typeof one === "string");
}

/** The entries of an object whose values are texts. */
export function mapAt(value: unknown, ...keys: readonly string[]): Record<string, string> {
  const found = at(value, ...keys);
  const entries = isRecord(found) ? Object.entries(found) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** Undefined where the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
