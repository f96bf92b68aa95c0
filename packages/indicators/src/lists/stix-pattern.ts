// STIX 2.1 patterns (OASIS, section 9) as far as a list needs them: values of which one is enough.
import { type Indicator, IndicatorKind } from "@nightjar/proto";
import { parseIndicator } from "../indicator.ts";

/** What a pattern names, or why it cannot be taken. */
export type PatternResult = { indicators: Indicator[] } | { problem: string };

/** By object path, in lower case and without quotes. */
const paths: ReadonlyMap<string, IndicatorKind> = new Map([
  ["file:hashes.sha-256", IndicatorKind.FILE_SHA256],
  ["file:hashes.sha256", IndicatorKind.FILE_SHA256],
  ["ipv4-addr:value", IndicatorKind.ADDRESS],
  ["ipv6-addr:value", IndicatorKind.ADDRESS],
  ["network-traffic:dst_ref.value", IndicatorKind.ADDRESS],
  ["domain-name:value", IndicatorKind.DOMAIN],
  ["network-traffic:dst_ref.resolves_to_refs[*].value", IndicatorKind.ADDRESS],
]);

const PATTERN_CHARS_MAX = 256 * 1024;
/** A string with its escapes, an object path, or one sign; blanks before it. */
const TOKEN = /\s*(?:'((?:[^'\\]|\\.)*)'|([A-Za-z_][\w-]*:(?:[\w.-]|'[^']*'|\[\*\])+)|([A-Za-z]+)|([[\](),=]))/y;

type Token = { kind: "text" | "path" | "word" | "sign"; text: string };

export function readPattern(pattern: string): PatternResult {
  if (pattern.length > PATTERN_CHARS_MAX) return { problem: "the pattern is too long" };
  const tokens = tokensOf(pattern);
  if (!tokens) return { problem: "it has more than comparisons with =, IN and OR" };
  return new Reader(tokens).read();
}

function tokensOf(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  const source = pattern.trimEnd();
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < source.length; ) {
    const match = TOKEN.exec(source);
    if (!match) return undefined;
    const [, text, path, word, sign = ""] = match;
    if (text !== undefined) tokens.push({ kind: "text", text: text.replaceAll(/\\(.)/g, "$1") });
    else if (path !== undefined) tokens.push({ kind: "path", text: path });
    else tokens.push(word === undefined ? { kind: "sign", text: sign } : { kind: "word", text: word.toUpperCase() });
  }
  return tokens;
}

/** Reads observations joined by OR, each of comparisons joined by OR: a path, then "=" and a text, or IN and texts. */
class Reader {
  readonly #tokens: readonly Token[];
  readonly #indicators: Indicator[] = [];
  #at = 0;
  #problem: string | undefined;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  read(): PatternResult {
    // Parentheses only group, and in alternatives of alternatives they change nothing.
    do {
      while (this.#take("(")) {}
      if (!this.#observation()) break;
      while (this.#take(")")) {}
    } while (this.#take("OR"));
    const rest = this.#tokens[this.#at];
    if (this.#problem === undefined && rest) this.#problem = `${rest.text} is not supported`;
    return this.#problem === undefined ? { indicators: this.#indicators } : { problem: this.#problem };
  }

  #observation(): boolean {
    if (!this.#take("[")) return this.#fail("[");
    do {
      while (this.#take("(")) {}
      if (!this.#comparison()) return false;
      while (this.#take(")")) {}
    } while (this.#take("OR"));
    return this.#take("]") || this.#fail("]");
  }

  #comparison(): boolean {
    const path = this.#tokens[this.#at++];
    if (path?.kind !== "path") return this.#fail("an object path");
    const kind = paths.get(path.text.replaceAll("'", "").toLowerCase());
    if (kind === undefined) return this.#fail(path.text);
    if (this.#take("=")) return this.#value(kind);
    if (!this.#take("IN") || !this.#take("(")) return this.#fail("= or IN");
    do if (!this.#value(kind)) return false;
    while (this.#take(","));
    return this.#take(")") || this.#fail(")");
  }

  #value(kind: IndicatorKind): boolean {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== "text") return this.#fail("a text");
    const indicator = parseIndicator(kind, token.text);
    if (!indicator) return this.#fail(token.text);
    this.#indicators.push(indicator);
    return true;
  }

  #take(text: string): boolean {
    const token = this.#tokens[this.#at];
    const isIt = token !== undefined && (token.kind === "sign" || token.kind === "word") && token.text === text;
    if (isIt) this.#at++;
    return isIt;
  }

  #fail(what: string): false {
    this.#problem ??= /^[[\](),=]|^(an?|=) /.test(what) ? `${what} is missing` : `${what} is not looked for`;
    return false;
  }
}
