// Sigma's modifiers as rows of a table: which values each takes and what it makes of one (specification 2.1, appendix).
import type { ProblemCode } from "../problem.ts";
import { isMany, joined, MANY, mapText, type Pattern, plainText, readPattern, withPlaceholders } from "./text.ts";
import type { Order, RegexFlag, SigmaValue, TimePart } from "./value.ts";

/** Why modifiers do not go with one another or with a value. */
export interface Fault {
  code: ProblemCode;
  message: string;
}

/** A value on its way through its modifiers: the text it was written as, and what it is by now. */
interface Work {
  written: string;
  value: SigmaValue;
  /** Each character of its text is a byte: what utf16 and its kin make. */
  bytes?: true;
}

type Kind = SigmaValue["kind"];

interface Modifier {
  takes: readonly Kind[];
  /** Only stands first, on the value as it was written. */
  first?: true;
  /** Only where there is a field. */
  fieldOnly?: true;
  apply: (work: Work) => Work | Fault;
}

/** How many values one may become: five for each dash. */
const EXPANSION_VALUES_MAX = 3125;

const fault = (code: ProblemCode, message: string): Fault => ({ code, message });
const isFault = (result: object): result is Fault => "code" in result;

type Strings = SigmaValue & { kind: "string" };
type Fields = SigmaValue & { kind: "field" };
type Regexes = SigmaValue & { kind: "regex" };

const withPattern = (work: Work, change: (pattern: Pattern) => Pattern): Work => {
  const value = work.value as Strings;
  return { ...work, value: { ...value, pattern: change(value.pattern) } };
};

/** startswith, endswith and contains put wildcards to the ends that are open, where none is yet. */
function open(before: boolean, after: boolean): Modifier {
  const how = before && after ? "contains" : before ? "ends-with" : "starts-with";
  return {
    takes: ["string", "regex", "field"],
    apply: (work) => {
      const { value } = work;
      if (value.kind === "field") return { ...work, value: { ...(value as Fields), how } };
      if (value.kind === "regex") {
        // Found anywhere, as all are, unless one end is to be that of the text.
        const { expression } = value as Regexes;
        const anchored = before ? (after ? expression : `(?:${expression})$`) : `^(?:${expression})`;
        return { ...work, value: { ...(value as Regexes), expression: anchored } };
      }
      return withPattern(work, (pattern) => [
        ...(before && !isMany(pattern[0]) ? [MANY] : []),
        ...pattern,
        ...(after && !isMany(pattern.at(-1)) ? [MANY] : []),
      ]);
    },
  };
}

function utf16(bigEndian: boolean, mark: string): Modifier {
  const encode = (text: string): string =>
    text.replace(/[\s\S]/g, (unit) => {
      const [high, low] = [unit.charCodeAt(0) >> 8, unit.charCodeAt(0) & 0xff];
      return bigEndian ? String.fromCharCode(high, low) : String.fromCharCode(low, high);
    });
  const apply = (work: Work): Work | Fault => {
    if (work.bytes) return fault("SIGMA_MODIFIER_CHAIN", "a text is encoded as UTF-16 once");
    return { ...withPattern(work, (pattern) => joined([{ text: mark }, ...mapText(pattern, encode)])), bytes: true };
  };
  return { takes: ["string"], apply };
}

const utf8 = new TextEncoder();

/** The bytes that a text without wildcards stands for, as a string of code points 0 to 255. */
function bytesOf(work: Work): string | Fault {
  const text = plainText((work.value as Strings).pattern);
  if (text === undefined) return fault("SIGMA_VALUE", "a text with wildcards cannot be encoded as base64");
  return work.bytes ? text : [...utf8.encode(text)].map((byte) => String.fromCharCode(byte)).join("");
}

const asString = (work: Work, text: string): Work => ({
  written: work.written,
  value: { ...(work.value as Strings), pattern: joined([{ text }]) },
});

/** What of the base64 of shifted bytes depends on the bytes alone: by the shift, and by the length over three. */
const BASE64_BEGINS = [0, 2, 3];
const BASE64_ENDS = [undefined, -3, -2];

function base64Offsets(work: Work): Work | Fault {
  const bytes = bytesOf(work);
  if (typeof bytes !== "string") return bytes;
  const values = BASE64_BEGINS.map((begin, shift) => {
    const end = BASE64_ENDS[(bytes.length + shift) % 3];
    const { value } = asString(work, btoa(" ".repeat(shift) + bytes).slice(begin, end));
    // What is left of the text without its ends can only be found within something longer.
    return { ...(value as Strings), pattern: [MANY, ...(value as Strings).pattern, MANY] };
  });
  return { ...work, value: { kind: "any", values } };
}

const DASHES = ["-", "/", "–", "—", "―"];
/** A dash before a word and not behind one: the one of an option. */
const OPTION_DASH = /\B[-/]\b/g;

function windowsDashes(work: Work): Work | Fault {
  let patterns: Pattern[] = [[]];
  for (const part of (work.value as Strings).pattern) {
    const texts = "text" in part ? part.text.split(OPTION_DASH) : [];
    const pieces = "text" in part ? texts : [part];
    for (const [at, piece] of pieces.entries()) {
      const before = at === 0 ? [""] : DASHES;
      if (patterns.length * before.length > EXPANSION_VALUES_MAX) {
        return fault("SIGMA_TOO_LARGE", `windash makes more than ${EXPANSION_VALUES_MAX} values of one`);
      }
      const last = typeof piece === "string" ? { text: piece } : piece;
      patterns = patterns.flatMap((pattern) => before.map((text) => [...pattern, { text }, last]));
    }
  }
  const values = patterns.map((pattern) => ({ ...(work.value as Strings), pattern: joined(pattern) }));
  return { ...work, value: { kind: "any", values } };
}

function ordering(order: Order): Modifier {
  return {
    takes: ["number", "string", "time"],
    apply: (work) => {
      const { value, written } = work;
      if (value.kind === "time")
        return { ...work, value: { kind: "order", order, number: value.number, part: value.part } };
      const number = value.kind === "number" ? value.number : Number(written.trim() || Number.NaN);
      if (Number.isNaN(number)) return fault("SIGMA_VALUE", `'${written}' is not a number, so nothing is more or less`);
      return { ...work, value: { kind: "order", order, number } };
    },
  };
}

function timePart(part: TimePart): Modifier {
  return {
    takes: ["number"],
    apply: (work) => ({ ...work, value: { kind: "time", part, number: (work.value as { number: number }).number } }),
  };
}

function regexFlag(flag: RegexFlag): Modifier {
  return {
    takes: ["regex"],
    apply: (work) => {
      const value = work.value as Regexes;
      return { ...work, value: { ...value, flags: new Set([...value.flags, flag]) } };
    },
  };
}

const BOOLEANS = new Map([
  ["true", true],
  ["yes", true],
  ["false", false],
  ["no", false],
]);

const exists: Modifier = {
  takes: ["boolean", "string"],
  first: true,
  fieldOnly: true,
  apply: (work) => {
    const value = BOOLEANS.get(work.written.toLowerCase());
    if (value === undefined) return fault("SIGMA_VALUE", `exists takes true or false, not '${work.written}'`);
    return { ...work, value: { kind: "exists", value } };
  },
};

const fieldReference: Modifier = {
  takes: ["string"],
  fieldOnly: true,
  apply: (work) => {
    const { pattern, cased } = work.value as Strings;
    // What startswith and its kin put before stands for how the two are compared.
    const [before, after] = [isMany(pattern[0]), isMany(pattern.at(-1))];
    const name = plainText(pattern.slice(before ? 1 : 0, after ? -1 : undefined));
    if (!name) return fault("SIGMA_VALUE", "a field that is referred to must be named without wildcards");
    const how = before ? (after ? "contains" : "ends-with") : after ? "starts-with" : "equals";
    return { ...work, value: { kind: "field", name, how, cased } };
  },
};

const cased: Modifier = {
  takes: ["string", "field"],
  apply: (work) => ({ ...work, value: { ...(work.value as Strings | Fields), cased: true } }),
};

const MODIFIERS: ReadonlyMap<string, Modifier> = new Map<string, Modifier>([
  ["contains", open(true, true)],
  ["startswith", open(false, true)],
  ["endswith", open(true, false)],
  ["cased", cased],
  ["exists", exists],
  ["windash", { takes: ["string"], apply: windowsDashes }],
  ["expand", { takes: ["string"], apply: (work) => withPattern(work, withPlaceholders) }],
  ["fieldref", fieldReference],
  [
    "base64",
    {
      takes: ["string"],
      apply: (work) => {
        const bytes = bytesOf(work);
        return typeof bytes === "string" ? asString(work, btoa(bytes)) : bytes;
      },
    },
  ],
  ["base64offset", { takes: ["string"], apply: base64Offsets }],
  ["utf16", utf16(false, "\u00ff\u00fe")],
  ["utf16le", utf16(false, "")],
  ["utf16be", utf16(true, "")],
  ["wide", utf16(false, "")],
  [
    "re",
    {
      takes: ["string", "number", "boolean"],
      first: true,
      apply: (work) => ({ ...work, value: { kind: "regex", expression: work.written, flags: new Set() } }),
    },
  ],
  ...[["i"], ["ignorecase", "i"], ["m"], ["multiline", "m"], ["s"], ["dotall", "s"]].map(
    ([name, flag]) => [name, regexFlag((flag ?? name) as RegexFlag)] as [string, Modifier],
  ),
  [
    "cidr",
    {
      takes: ["string"],
      first: true,
      apply: (work) => ({ ...work, value: { kind: "network", network: work.written } }),
    },
  ],
  ["lt", ordering("less")],
  ["lte", ordering("less-or-equal")],
  ["gt", ordering("greater")],
  ["gte", ordering("greater-or-equal")],
  ...(["minute", "hour", "day", "week", "month", "year"] as const).map(
    (part) => [part, timePart(part)] as [string, Modifier],
  ),
]);

/** Modifiers that are about a line's values together; they are no rows. */
export const LINE_MODIFIERS: readonly string[] = ["all", "neq"];
/** Every modifier there is, for the reference. */
export const MODIFIER_NAMES: readonly string[] = [...MODIFIERS.keys(), ...LINE_MODIFIERS].sort();

/** Numbers and booleans are texts to what takes only texts: `CommandLine|contains: 4444`. */
function taken(row: Modifier, work: Work): Work | undefined {
  const { kind } = work.value;
  if (row.takes.includes(kind)) return work;
  if ((kind !== "number" && kind !== "boolean") || !row.takes.includes("string")) return undefined;
  return { ...work, value: { kind: "string", pattern: readPattern(work.written), cased: false } };
}

function applyOne(name: string, row: Modifier, work: Work): Work | Fault {
  const { value } = work;
  if (value.kind === "any") {
    const results: SigmaValue[] = [];
    for (const each of value.values) {
      const result = applyOne(name, row, { ...work, value: each });
      if (isFault(result)) return result;
      results.push(result.value);
    }
    return { ...work, value: { kind: "any", values: results } };
  }
  const fitting = taken(row, work);
  return fitting
    ? row.apply(fitting)
    : fault("SIGMA_VALUE", `the modifier '${name}' takes no value that is a ${value.kind}`);
}

/**
 * Puts modifiers to a value, from left to right. Gives what came out, or why that cannot be: an unknown modifier, one
 * in a place where it means nothing, or a value of the wrong kind.
 */
export function modified(
  value: SigmaValue,
  written: string,
  modifiers: readonly string[],
  hasField: boolean,
): SigmaValue | Fault {
  let work: Work = { written, value };
  let place = 0;
  for (const name of modifiers) {
    if (LINE_MODIFIERS.includes(name)) continue;
    const row = MODIFIERS.get(name);
    if (!row) return fault("SIGMA_MODIFIER_UNKNOWN", `there is no modifier '${name}'`);
    if (row.first && place > 0) return fault("SIGMA_MODIFIER_CHAIN", `the modifier '${name}' must stand first`);
    if (row.fieldOnly && !hasField) return fault("SIGMA_MODIFIER_CHAIN", `the modifier '${name}' needs a field`);
    const result = applyOne(name, row, work);
    if (isFault(result)) return result.code === "SIGMA_VALUE" && place > 0 ? chained(result, name, work) : result;
    work = result;
    place++;
  }
  return work.value;
}

/** Where an earlier modifier made the value what it is, the chain is at fault and not the value. */
function chained(found: Fault, name: string, { value }: Work): Fault {
  const made = value.kind !== "string" && value.kind !== "any";
  return made ? fault("SIGMA_MODIFIER_CHAIN", `'${name}' has no meaning for ${value.kind} values`) : found;
}
