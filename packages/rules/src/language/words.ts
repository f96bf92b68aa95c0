// The operators and transformers of Falco's language, as the parser sees them: a table of words and what follows each.

/** What an operator takes on its right: nothing, a number, a string, or a list. */
export type RightShape = "nothing" | "number" | "string" | "list";

/** In the order in which they are tried: a word that begins another one comes later. */
export const OPERATORS: readonly (readonly [word: string, right: RightShape])[] = [
  ["exists", "nothing"],
  ["<=", "number"],
  ["<", "number"],
  [">=", "number"],
  [">", "number"],
  ["==", "string"],
  ["=", "string"],
  ["!=", "string"],
  ["glob", "string"],
  ["iglob", "string"],
  ["contains", "string"],
  ["icontains", "string"],
  ["bcontains", "string"],
  ["startswith", "string"],
  ["bstartswith", "string"],
  ["endswith", "string"],
  ["regex", "string"],
  ["intersects", "list"],
  ["in", "list"],
  ["pmatch", "list"],
];

export const QUANTIFIERS = ["oneof", "anyof", "allof"] as const;

/** The words before "(" that make something else of values; what each takes is checked behind the parser. */
export const TRANSFORMERS: readonly string[] = [
  "tolower",
  "toupper",
  "b64",
  "basename",
  "len",
  "join",
  "concat",
  "getopt",
];

/** The word for "the value of that field" on the right-hand side. */
export const VALUE_WORD = "val";
