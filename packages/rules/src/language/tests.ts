// The tests a condition comes down to: what each means for a value, and how it is written in generated code.
import type { RE2JS } from "re2js";
import { inNetwork, type Network, sameAddress } from "../fields/address.ts";
import type { Value } from "../fields/definition.ts";
import { compileGlob } from "./glob.ts";
import { lowerAscii } from "./letters.ts";

type Scalar = Exclude<Value, undefined | readonly Value[]>;

interface TestRow {
  /** The meaning, for a value that is there. The operand is a prepared literal, or the value of the right-hand term. */
  // biome-ignore lint/suspicious/noExplicitAny: each row takes the operand that its preparation makes
  holds: (value: any, operand: any) => boolean;
  /**
   * The same as JavaScript, for a value that may be missing: `value` and `operand` are expressions without effects;
   * `literal` is the operand where it can be written down. Without it, `holds` is called.
   */
  code?: (value: string, operand: string, literal: Operand) => string;
  /** Asks about text; of any other value it is never true. Fields of the type `dynamic` have numbers too. */
  textual?: true;
  /** Of which parts at least one stands in a text of which the test is true; undefined where none has to. */
  // biome-ignore lint/suspicious/noExplicitAny: as with holds
  parts?: (operand: any) => readonly TextPart[] | undefined;
}

/** A part of a text, and where it stands in it. */
export interface TextPart {
  text: string;
  at: "whole" | "start" | "end" | "anywhere";
  /** Stands in the lower case of the text, as JavaScript makes it. */
  ignoreCase?: true;
}

type Operand = unknown;

function write(operand: string, literal: Operand): string {
  if (typeof literal === "bigint") return `${literal}n`;
  return typeof literal === "string" || typeof literal === "number" || typeof literal === "boolean"
    ? JSON.stringify(literal)
    : operand;
}

const ordered = (symbol: string, holds: (value: Scalar, operand: Scalar) => boolean): TestRow => ({
  holds,
  code: (value, operand, literal) => `${value}${symbol}${write(operand, literal)}`,
});

/** A method of strings, on a value that is a string or missing. */
const method = (name: "includes" | "startsWith" | "endsWith", at: TextPart["at"]): TestRow => ({
  holds: (value: string, operand: string) => value[name](operand),
  code: (value, operand, literal) => `(typeof ${value}==="string"&&${value}.${name}(${write(operand, literal)}))`,
  textual: true,
  parts: (text: string) => [{ text, at }],
});

function wholeTexts(values: ReadonlySet<Value>): readonly TextPart[] | undefined {
  const texts = [...values];
  return texts.every((text) => typeof text === "string") ? texts.map((text) => ({ text, at: "whole" })) : undefined;
}

/**
 * The longest part of a text in lower case that has only letters of ASCII. Others keep their case in the test, and lose
 * it in the index.
 */
function asciiPart(text: string): readonly TextPart[] {
  const parts = text.match(/[\0-\x7f]+/g) ?? [""];
  const longest = parts.reduce((best, part) => (part.length > best.length ? part : best));
  return [{ text: longest, at: "anywhere", ignoreCase: true }];
}

export const TESTS = {
  exists: { holds: () => true, code: (value) => `${value}!==undefined` },
  equals: {
    // Loose on purpose: an integer may be a number on one side and a bigint on the other.
    // biome-ignore lint/suspicious/noDoubleEquals: see above
    holds: (value: Scalar, operand: Scalar) => value == operand,
    code: (value, operand, literal) => {
      const loose = typeof literal !== "string" && typeof literal !== "boolean";
      return `${value}${loose ? "==" : "==="}${write(operand, literal)}`;
    },
    parts: (operand: Value) => (typeof operand === "string" ? [{ text: operand, at: "whole" }] : undefined),
  },
  differs: {
    // biome-ignore lint/suspicious/noDoubleEquals: as in equals
    holds: (value: Scalar, operand: Scalar) => value != operand,
    code: (value, operand, literal) => `(${value}!==undefined&&${value}!=${write(operand, literal)})`,
  },
  less: ordered("<", (value, operand) => value < operand),
  "less-or-equal": ordered("<=", (value, operand) => value <= operand),
  greater: ordered(">", (value, operand) => value > operand),
  "greater-or-equal": ordered(">=", (value, operand) => value >= operand),
  /** The operand is a Set. */
  in: {
    holds: (value: Scalar, operand: ReadonlySet<Value>) => operand.has(value),
    code: (value, operand) => `${operand}.has(${value})`,
    parts: (operand: ReadonlySet<Value>) => wholeTexts(operand),
  },
  contains: method("includes", "anywhere"),
  "starts-with": method("startsWith", "start"),
  "ends-with": method("endsWith", "end"),
  /** The operand is in lower case (ASCII). */
  "contains-ignoring-case": {
    holds: (value: string, operand: string) => lowerAscii(value).includes(operand),
    textual: true,
    parts: (operand: string) => asciiPart(operand),
  },
  /** The operand is a pattern that was compiled; it must match the whole string. */
  matches: { holds: (value: string, operand: RE2JS) => operand.testExact(value), textual: true },
  /** The operand is a pattern that was compiled; it must match some part of the string. */
  finds: { holds: (value: string, operand: RE2JS) => operand.test(value), textual: true },
  /** The operand is a PathPrefixes. */
  "path-starts-with": {
    holds: (value: string, operand: PathPrefixes) => operand.has(value),
    textual: true,
    parts: (operand: PathPrefixes) => operand.components,
  },
  /** The operand is an address. */
  "is-address": { holds: (value: Uint8Array, operand: Uint8Array) => sameAddress(value, operand) },
  "is-not-address": { holds: (value: Uint8Array, operand: Uint8Array) => !sameAddress(value, operand) },
  /** The operand is a Network. */
  "in-network": { holds: (value: Uint8Array, operand: Network) => inNetwork(value, operand) },
  "not-in-network": { holds: (value: Uint8Array, operand: Network) => !inNetwork(value, operand) },
  // Against the value of another term, which is prepared when it is known.
  among: {
    // biome-ignore lint/suspicious/noDoubleEquals: as in equals
    holds: (value: Scalar, operand: Value) => [operand].flat().some((each) => each == value),
  },
  fits: { holds: (value: string, operand: string) => compileGlob(operand)(value), textual: true },
  "fits-ignoring-case": {
    holds: (value: string, operand: string) => compileGlob(operand, true)(value),
    textual: true,
  },
  "contains-text-ignoring-case": {
    holds: (value: string, operand: string) => lowerAscii(value).includes(lowerAscii(operand)),
    textual: true,
  },
} as const satisfies Record<string, TestRow>;

export type TestName = keyof typeof TESTS;

/** Parts of which at least one stands in every text of which a test is true; undefined where none has to. */
export function textPartsOf(name: TestName, operand: Operand): readonly TextPart[] | undefined {
  return testRow(name).parts?.(operand);
}

export function testRow(name: TestName): TestRow {
  return TESTS[name];
}

/** Paths that a path may begin with, component by component. */
export class PathPrefixes {
  readonly #exact = new Set<string>();
  readonly #globbed: (readonly ((component: string) => boolean)[])[] = [];
  readonly #longest: string[] = [];

  constructor(paths: readonly string[], glob: (pattern: string) => (text: string) => boolean) {
    for (const path of paths) {
      const components = split(path);
      const plain = components.filter((component) => !/[*?[\\]/.test(component));
      this.#longest.push(plain.reduce((best, part) => (part.length > best.length ? part : best), ""));
      if (components.every((component) => !/[*?[]/.test(component))) this.#exact.add(components.join("/"));
      else this.#globbed.push(components.map(glob));
    }
  }

  /** Of each path the longest component without a wildcard; undefined where one has none. */
  get components(): readonly TextPart[] | undefined {
    return this.#longest.includes("") ? undefined : this.#longest.map((text) => ({ text, at: "anywhere" }));
  }

  has(path: string): boolean {
    const components = split(path);
    let prefix = "";
    if (this.#exact.has("")) return true;
    for (let at = 0; at < components.length; at++) {
      prefix = at === 0 ? (components[0] as string) : `${prefix}/${components[at]}`;
      if (this.#exact.has(prefix)) return true;
    }
    return this.#globbed.some((tests) => {
      return tests.length <= components.length && tests.every((test, at) => test(components[at] as string));
    });
  }
}

function split(path: string): string[] {
  return path.split("/").filter((component) => component !== "");
}

/** Puts a test's question to a value that may be missing or several. */
export function holds(name: TestName, value: Value, operand: unknown, several?: "any" | "pair" | "list"): boolean {
  if (value === undefined || operand === undefined) return false;
  const row = testRow(name);
  if (!Array.isArray(value)) return (!row.textual || typeof value === "string") && row.holds(value, operand);
  if (name === "exists") return value.length > 0;
  const all = several === "list" ? CONTAINING.has(name) : several === "pair" && NEGATIVE.has(name);
  return (
    value.length > 0 &&
    (all ? value.every((each) => row.holds(each, operand)) : value.some((each) => row.holds(each, operand)))
  );
}

/** Of a list, these want every value found; all others want one. */
const CONTAINING: ReadonlySet<TestName> = new Set(["in", "among"]);

const NEGATIVE: ReadonlySet<TestName> = new Set(["differs", "is-not-address", "not-in-network"]);
