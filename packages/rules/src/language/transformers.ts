// The transformers: what each takes and gives, as rows of a table.
import type { Value } from "../fields/definition.ts";
import type { ValueType } from "../fields/known.ts";
import { basename } from "../fields/path.ts";
import { lowerAscii, upperAscii } from "./letters.ts";

interface Transformer {
  /** How many operands, at least and at most. */
  count: readonly [least: number, most: number];
  /** Types it takes. */
  takes: readonly ValueType[];
  gives: ValueType;
  /** Takes an argument in brackets behind it. */
  argument?: true;
  /** How lists are taken: each of their values by itself, as a whole, or not. */
  lists: "each" | "whole" | "none";
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

/** The value of an option as getopt(3) would find it: the text behind -t, "" for an option without one. */
function getOption(line: string, specification: string, wanted: string | undefined): Value {
  const found: string[] = [];
  const words = line.split(" ").filter((word) => word !== "");
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === "--") break;
    if (!word.startsWith("-") || word === "-") continue;
    for (let letter = 1; letter < word.length; letter++) {
      const option = word[letter] as string;
      const known = specification.indexOf(option);
      const takesValue = known >= 0 && specification[known + 1] === ":";
      const value = takesValue ? word.slice(letter + 1) || (words[++at] ?? "") : "";
      if (known >= 0 && (wanted === undefined || wanted === option)) found.push(value);
      if (takesValue) break;
    }
  }
  if (wanted === undefined) return found.length > 0 ? found : undefined;
  return found[0];
}

const one = (takes: readonly ValueType[], gives: ValueType, apply: (value: string) => Value): Transformer => ({
  count: [1, 1],
  takes,
  gives,
  lists: "each",
  apply: ([value]) => apply(value as string),
});

export const TRANSFORMER_ROWS: ReadonlyMap<string, Transformer> = new Map<string, Transformer>([
  ["tolower", one(["string"], "string", lowerAscii)],
  ["toupper", one(["string"], "string", upperAscii)],
  ["b64", one(STRINGS, "string", decodeBase64)],
  ["basename", one(["string"], "string", basename as (path: string) => Value)],
  [
    "val",
    {
      count: [1, 1],
      takes: [...PRINTABLE, "ip", "net", "dynamic"],
      gives: "dynamic",
      lists: "whole",
      apply: ([value]) => value,
    },
  ],
  [
    "len",
    {
      count: [1, 1],
      takes: STRINGS,
      gives: "int",
      lists: "whole",
      apply: ([value]) => (value as string | Value[]).length,
    },
  ],
  [
    "join",
    {
      count: [2, 2],
      takes: PRINTABLE,
      gives: "string",
      lists: "whole",
      apply: ([separator, list]) => (Array.isArray(list) ? list : [list]).map(String).join(separator as string),
    },
  ],
  [
    "concat",
    {
      count: [2, OPERANDS_MAX],
      takes: PRINTABLE,
      gives: "string",
      lists: "none",
      apply: (values) => values.map(String).join(""),
    },
  ],
  [
    "getopt",
    {
      count: [2, 2],
      takes: STRINGS,
      gives: "string",
      argument: true,
      lists: "none",
      apply: ([line, specification], argument) => getOption(line as string, specification as string, argument),
    },
  ],
]);

/** Puts a transformer to values; a missing one makes the result missing. */
export function transform(name: string, values: readonly Value[], argument: string | undefined): Value {
  const row = TRANSFORMER_ROWS.get(name) as Transformer;
  if (values.some((value) => value === undefined)) return undefined;
  const [only] = values;
  if (row.lists === "each" && Array.isArray(only)) {
    const results = only.map((value) => row.apply([value], argument)).filter((value) => value !== undefined);
    return results.length > 0 ? results : undefined;
  }
  return row.apply(values, argument);
}
