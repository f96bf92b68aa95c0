// Puts values in place of the placeholders that `expand` finds in a rule.
import type { Place } from "../problem.ts";
import { joined, type Part, type Pattern, placeholdersOf } from "./text.ts";
import type { Detection, SigmaValue } from "./value.ts";

/** What placeholders stand for: of several values one is enough. */
export type Placeholders = ReadonlyMap<string, readonly string[]>;

/** Called with the name of a placeholder that nothing is known of. */
type OnUnknown = (name: string, place: Place) => never;

/** With several placeholders in one value, all combinations are made. */
const COMBINATIONS_MAX = 10_000;

/** The detection without placeholders. */
export function withPlaceholderValues(detection: Detection, known: Placeholders, unknown: OnUnknown): Detection {
  if (detection.kind !== "item") {
    return { ...detection, parts: detection.parts.map((part) => withPlaceholderValues(part, known, unknown)) };
  }
  const values = detection.values.map(({ value, place }) => ({
    value: filled(value, known, (name) => unknown(name, place)),
    place,
  }));
  return { ...detection, values };
}

function filled(value: SigmaValue, known: Placeholders, unknown: (name: string) => never): SigmaValue {
  if (value.kind === "any") return { kind: "any", values: value.values.map((each) => filled(each, known, unknown)) };
  if (value.kind !== "string" || placeholdersOf(value.pattern).length === 0) return value;
  const patterns = combinations(value.pattern, known, unknown);
  return { kind: "any", values: patterns.map((pattern) => ({ ...value, pattern })) };
}

function combinations(pattern: Pattern, known: Placeholders, unknown: (name: string) => never): Pattern[] {
  let patterns: Part[][] = [[]];
  for (const part of pattern) {
    const choices: Part[] =
      "placeholder" in part
        ? (known.get(part.placeholder) ?? unknown(part.placeholder)).map((text) => ({ text }))
        : [part];
    // More than any list in practice; what is beyond is refused as if it were not known.
    if (patterns.length * choices.length > COMBINATIONS_MAX) unknown(placeholdersOf(pattern).join("%, %"));
    patterns = patterns.flatMap((before) => choices.map((choice) => [...before, choice]));
  }
  return patterns.map(joined);
}
