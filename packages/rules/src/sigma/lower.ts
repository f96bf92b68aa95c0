// Lowers detections of Sigma to expressions: names to terms, values to tests.
import { RE2JS, RE2JSException } from "re2js";
import { parseNetwork } from "../fields/address.ts";
import type { ValueType } from "../fields/known.ts";
import { EVERY_EVENT } from "../fields/served.ts";
import { CONVERSIONS } from "../language/conversions.ts";
import {
  ALWAYS,
  and,
  type Expression,
  NEVER,
  not,
  type Origin,
  or,
  type Term,
  termName,
  writeSource,
} from "../language/expression.ts";
import { holds, type TestName } from "../language/tests.ts";
import { transform } from "../language/transformers.ts";
import { type Piece, Wildcard } from "../language/wildcard.ts";
import { isMany, MANY, type Pattern, plainText, writePattern } from "./text.ts";
import type { Detection, Item, RegexFlag, SigmaValue } from "./value.ts";
import type { View } from "./view.ts";

/** Lowers a detection for one view. Names that the view does not have go into `unserved`; tests of them are false. */
export function lowerDetection(detection: Detection, view: View, unserved: Set<string>): Expression {
  if (detection.kind === "item") return lowerItem(detection, view, unserved);
  const parts = detection.parts.map((part) => lowerDetection(part, view, unserved));
  return detection.kind === "all" ? and(parts) : or(parts);
}

/** What a value is held against, and where that was written. */
interface At {
  term: Term;
  view: View;
  origin: Origin;
}

function lowerItem(item: Item, view: View, unserved: Set<string>): Expression {
  const values = item.values.map(({ value }) => value);
  const join = item.all ? and : or;
  const origin = { text: { place: () => item.place }, offset: 0 };
  const ofKeyword = (value: SigmaValue): Expression =>
    or(view.keywords.map((term) => lowerValue(asKeyword(value), { term, view, origin })));
  const whole =
    item.field === undefined
      ? join(values.map(ofKeyword))
      : lowerField(item.field, values, item.all, { view, origin }, unserved);
  return item.negated ? not(whole) : whole;
}

function lowerField(
  name: string,
  values: readonly SigmaValue[],
  all: boolean,
  { view, origin }: Omit<At, "term">,
  unserved: Set<string>,
): Expression {
  const term = view.field(name);
  if (!term) unserved.add(name);
  for (const value of values) {
    if (value.kind === "field" && !view.field(value.name)) unserved.add(value.name);
  }
  if (!term) return (all ? and : or)(values.map(ofMissing));
  const at = { term, view, origin };
  if (all) return and(values.map((value) => lowerValue(value, at)));
  const plain = values.filter((value) => plainOf(value) !== undefined);
  const others = values.filter((value) => plainOf(value) === undefined);
  const tests = others.map((value) => lowerValue(value, at));
  return or([...(plain.length > 0 ? [oneOf(plain, at)] : []), ...tests]);
}

/** What a value says of a field that no record has. */
function ofMissing(value: SigmaValue): Expression {
  if (value.kind === "any") return or(value.values.map(ofMissing));
  return value.kind === "null" || (value.kind === "exists" && !value.value) ? ALWAYS : NEVER;
}

/** Keywords are looked for within the text. */
function asKeyword(value: SigmaValue): SigmaValue {
  if (value.kind === "any") return { kind: "any", values: value.values.map(asKeyword) };
  if (value.kind === "number") return asKeyword({ kind: "string", pattern: [{ text: value.text }], cased: false });
  if (value.kind === "boolean")
    return asKeyword({ kind: "string", pattern: [{ text: String(value.value) }], cased: false });
  if (value.kind !== "string") return value;
  const { pattern } = value;
  const before = isMany(pattern[0]) ? [] : [MANY];
  const after = isMany(pattern.at(-1)) ? [] : [MANY];
  return { ...value, pattern: [...before, ...pattern, ...after] };
}

/** The text of a value that a field must be equal to, whatever the case of its letters. */
function plainOf(value: SigmaValue): string | undefined {
  if (value.kind === "number") return value.text;
  if (value.kind === "boolean") return String(value.value);
  return value.kind === "string" && !value.cased ? plainText(value.pattern) : undefined;
}

const NUMERIC: readonly ValueType[] = ["int", "port", "reltime", "abstime"];
/** Integers are compared as such where every text of them is the same: not "010". */
const INTEGER = /^(?:0|-?[1-9][0-9]{0,14})$/;

function oneOf(values: readonly SigmaValue[], { term, origin }: At): Expression {
  const texts = values.map((value) => plainOf(value) as string);
  if (NUMERIC.includes(term.type)) {
    const numbers = texts.filter((text) => INTEGER.test(text)).map(Number);
    return equalsOneOf(term, numbers, origin);
  }
  const left = isLowerCase(term) ? term : converted("lower case of", term);
  return equalsOneOf(
    left,
    texts.map((text) => text.toLowerCase()),
    origin,
  );
}

function equalsOneOf(left: Term, values: readonly (string | number)[], origin: Origin): Expression {
  const [first] = values;
  if (first === undefined) return NEVER;
  const texts = values.map(String);
  if (values.length === 1) return test("equals", left, first, writeSource("=", texts), origin);
  return test("in", left, new Set(values), writeSource("in", texts), origin);
}

/** Whether a field has few values, all in lower case: compared as it is, it is decided for each event type. */
function isLowerCase(term: Term): boolean {
  const { valuesOn } = term.kind === "field" ? term.field : {};
  if (!valuesOn) return false;
  return EVERY_EVENT.every((id) => valuesOn(id).every((value) => value === String(value ?? "").toLowerCase()));
}

/** A term put through a conversion; of a text at once. */
function converted(name: string, term: Term): Term {
  if (term.kind === "text") return { ...term, value: String(transform(name, [term.value], undefined) ?? "") };
  if (name === "text of" && term.type === "string" && !term.list) return term;
  const { gives } = CONVERSIONS.get(name) as { gives: ValueType };
  return { kind: "call", name, terms: [term], type: gives, list: term.list };
}

function test(name: TestName, left: Term, operand: unknown, source: string, origin: Origin): Expression {
  if (left.kind === "text") return holds(name, left.value, operand) ? ALWAYS : NEVER;
  return { kind: "test", test: name, left, operand, source, origin, ...(left.list && { several: "any" as const }) };
}

const exists = ({ term, origin }: At): Expression => test("exists", term, true, "exists", origin);

function lowerValue(value: SigmaValue, at: At): Expression {
  const { term, origin } = at;
  switch (value.kind) {
    case "any":
      return or(value.values.map((each) => lowerValue(each, at)));
    case "null":
      return not(exists(at));
    case "exists":
      return value.value ? exists(at) : not(exists(at));
    case "number":
    case "boolean":
      return oneOf([value], at);
    case "string":
      return lowerString(value, at);
    case "regex":
      return test("finds", converted("text of", term), compiled(value), regexSource(value), origin);
    case "network":
      return inNetwork(value.network, at);
    case "order": {
      const left = value.part ? converted(`${value.part} of`, term) : numberIn(term);
      return test(
        value.order,
        left,
        value.number,
        writeSource(ORDER_WORDS[value.order], [String(value.number)]),
        origin,
      );
    }
    case "time": {
      const source = writeSource("=", [String(value.number)]);
      return test("equals", converted(`${value.part} of`, term), value.number, source, origin);
    }
    case "field":
      return lowerReference(value, at);
  }
}

const ORDER_WORDS = { less: "<", "less-or-equal": "<=", greater: ">", "greater-or-equal": ">=" } as const;

function numberIn(term: Term): Term {
  return NUMERIC.includes(term.type) ? term : converted("number in", term);
}

function lowerString(value: SigmaValue & { kind: "string" }, at: At): Expression {
  const { pattern, cased } = value;
  const { term, origin } = at;
  if (plainText(pattern) !== undefined && !cased) return oneOf([value], at);
  if (pattern.every(isMany) && pattern.length > 0) return exists(at);
  const fold = (text: string): string => (cased ? text : text.toLowerCase());
  const left = converted(cased ? "text of" : "lower case of", term);
  const simple = simpleTest(pattern);
  if (simple) return test(simple.test, left, fold(simple.text), writeSource(simple.word, [fold(simple.text)]), origin);
  const wildcard = new Wildcard(pattern.map((part): Piece => ("text" in part ? fold(part.text) : (part as Piece))));
  return test("matches", left, wildcard, writeSource("like", [fold(writePattern(pattern))]), origin);
}

/** The test of a pattern with wildcards at its ends only. */
function simpleTest(pattern: Pattern): { test: TestName; word: string; text: string } | undefined {
  const [before, after] = [isMany(pattern[0]), isMany(pattern.at(-1))];
  const text = plainText(pattern.slice(before ? 1 : 0, after ? -1 : undefined));
  if (text === undefined) return undefined;
  if (before && after) return { test: "contains", word: "contains", text };
  if (before) return { test: "ends-with", word: "endswith", text };
  return after ? { test: "starts-with", word: "startswith", text } : { test: "equals", word: "=", text };
}

/** Whether a pattern is RE2's, and with a message where it is not. */
export function regexFault(expression: string, flags: ReadonlySet<RegexFlag>): string | undefined {
  if (expression.length > REGEX_CHARACTERS_MAX) return `a regex has more than ${REGEX_CHARACTERS_MAX} characters`;
  try {
    RE2JS.compile(expression, flagBits(flags));
    return undefined;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const what = /\(\?<?[=!]/.test(expression)
      ? "look-arounds are not in RE2's syntax"
      : /\\[1-9]/.test(expression)
        ? "back-references are not in RE2's syntax"
        : error.message;
    return `invalid regex '${expression}': ${what}`;
  }
}

/** Longer ones are refused: RE2JS's program grows with them. */
const REGEX_CHARACTERS_MAX = 4096;
const FLAG_BITS = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL } as const;

function flagBits(flags: ReadonlySet<RegexFlag>): number {
  return [...flags].reduce((bits, flag) => bits | FLAG_BITS[flag], 0);
}

function compiled({ expression, flags }: SigmaValue & { kind: "regex" }): RE2JS {
  return RE2JS.compile(expression, flagBits(flags));
}

function regexSource({ expression, flags }: SigmaValue & { kind: "regex" }): string {
  return writeSource(["re", ...[...flags].sort()].join("|"), [expression]);
}

function inNetwork(text: string, { term, origin }: At): Expression {
  const network = parseNetwork(text);
  const left = term.type === "ip" || term.type === "net" ? term : converted("address in", term);
  // Of a text that every record has, no logsource has an address.
  if (!network || left.kind === "text") return NEVER;
  return test("in-network", left, network, writeSource("cidr", [text]), origin);
}

const REFERENCE_TESTS = {
  equals: ["among", "="],
  "starts-with": ["starts-with", "startswith"],
  "ends-with": ["ends-with", "endswith"],
  contains: ["contains", "contains"],
} as const;

function lowerReference(value: SigmaValue & { kind: "field" }, { term, view, origin }: At): Expression {
  const other = view.field(value.name);
  if (!other) return NEVER;
  const conversion = value.cased ? "text of" : "lower case of";
  const [name, word] = REFERENCE_TESTS[value.how];
  const [left, right] = [converted(conversion, term), converted(conversion, other)];
  if (left.kind === "text") {
    if (right.kind === "text") return holds(name, left.value, right.value) ? ALWAYS : NEVER;
    if (value.how !== "equals") return NEVER;
    return test("equals", right, left.value, writeSource("=", [left.value]), origin);
  }
  const made = test(name, left, undefined, `${word} the value of ${termName(right)}`, origin);
  return made.kind === "test" ? { ...made, right } : made;
}
