// The transformers: what each takes and gives, as rows of a table.
import type { Value } from "../fields/definition.ts";
import { VALUE_TYPES, type ValueType } from "../fields/known.ts";
import { basename } from "../fields/path.ts";
import { CONVERSIONS, convert } from "./conversions.ts";
import { optionsOf } from "./getopt.ts";
import { lowerAscii, upperAscii } from "./letters.ts";

/**
 * What an operand has to be: one value, several, whichever; `words` is a list, or a field whose words stand between
 * blanks, as those of a command line do.
 */
type Shape = "single" | "list" | "either" | "words";

export interface Transformer {
  /** How many operands, at least and at most. */
  count: readonly [least: number, most: number];
  /** What each of them has to be; the last counts for those behind it too. */
  operands: readonly Shape[];
  /** Types it takes, of one value and of those in a list. */
  takes: readonly ValueType[];
  takesInLists?: readonly ValueType[];
  gives: ValueType;
  /** Whether it gives a list: where its operand is one, or where it has no argument. */
  givesList?: "as operand" | "without argument";
  /** What may stand in brackets behind it; where this is not there, nothing. */
  argument?: { pattern: RegExp; refusal: string };
  apply: (values: readonly Value[], argument: string | undefined) => Value;
}

const OPERANDS_MAX = 64;
const STRINGS: readonly ValueType[] = ["string", "bytes"];
const PRINTABLE: readonly ValueType[] = ["string", "bytes", "int", "port", "double", "bool", "reltime", "abstime"];

function decodeBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    const binary = atob(text);
    return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    // atob throws on a length that base64 cannot have; such text has no decoded value.
    return undefined;
  }
}

/** One that makes a string of a string, of a list that of each. */
const ofText = (takes: readonly ValueType[], change: (value: string) => Value): Transformer => ({
  count: [1, 1],
  operands: ["either"],
  takes,
  gives: "string",
  givesList: "as operand",
  apply: ([value]) => change(value as string),
});

export const TRANSFORMER_ROWS: ReadonlyMap<string, Transformer> = new Map<string, Transformer>([
  ["tolower", ofText(["string"], lowerAscii)],
  ["toupper", ofText(["string"], upperAscii)],
  ["b64", ofText(STRINGS, decodeBase64)],
  ["basename", ofText(["string"], basename as (path: string) => Value)],
  ["val", { count: [1, 1], operands: ["either"], takes: VALUE_TYPES, gives: "dynamic", apply: ([value]) => value }],
  [
    "len",
    {
      count: [1, 1],
      operands: ["either"],
      takes: STRINGS,
      takesInLists: VALUE_TYPES,
      gives: "int",
      apply: ([value]) => (value as string | Value[]).length,
    },
  ],
  [
    "join",
    {
      count: [2, 2],
      operands: ["single", "list"],
      takes: PRINTABLE,
      gives: "string",
      apply: ([separator, list]) => (list as Value[]).map(String).join(String(separator)),
    },
  ],
  [
    "concat",
    {
      count: [2, OPERANDS_MAX],
      operands: ["single"],
      takes: ["string"],
      gives: "string",
      apply: (values) => values.join(""),
    },
  ],
  [
    "getopt",
    {
      count: [2, 2],
      operands: ["words", "single"],
      takes: ["string"],
      gives: "string",
      givesList: "without argument",
      argument: { pattern: /^.$/su, refusal: "getopt() field argument must be a single option character" },
      apply: ([words, specification], argument) => {
        const list = Array.isArray(words) ? (words as string[]) : (words as string).split(" ");
        return optionsOf(list, specification as string, argument);
      },
    },
  ],
]);

/** Puts a transformer or a conversion to values; a missing one makes the result missing. */
export function transform(name: string, values: readonly Value[], argument: string | undefined): Value {
  if (values.some((value) => value === undefined)) return undefined;
  const conversion = CONVERSIONS.get(name);
  if (conversion) return convert(conversion, values[0]);
  const row = TRANSFORMER_ROWS.get(name) as Transformer;
  const [only] = values;
  if (row.givesList === "as operand" && Array.isArray(only)) {
    const results = only.map((value) => row.apply([value], argument)).filter((value) => value !== undefined);
    return results.length > 0 ? results : undefined;
  }
  return row.apply(values, argument);
}
