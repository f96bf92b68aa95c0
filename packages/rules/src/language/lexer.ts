// Takes tokens off a condition's text. Which one is wanted depends on the grammar, so the parser asks for it by kind.

import type { Quantifier } from "./ast.ts";
import { OPERATORS, QUANTIFIERS, type RightShape } from "./words.ts";

/** Ends a parse; `offset` says where. Caught in parse.ts, never seen outside this folder. */
export class SyntaxProblem extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

// The tokens of Falco's grammar, libsinsp/filter/parser.h. All of them are linear: no nested repetition.
const BLANK = /[ \t\b\r\n]+/y;
const IDENTIFIER = /[a-zA-Z][a-zA-Z0-9_]*/y;
const FIELD = /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y;
const BARE_ARGUMENT = /[^ \b\t\n\r[\]"']+/y;
const HEX_NUMBER = /0[xX][0-9a-zA-Z]+/y;
const NUMBER = /[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?/y;
const BARE_STRING = /[^ \b\t\n\r(),="']+/y;
const NOT = /not[ \t\b\r\n]+/y;
const CALL = /[a-zA-Z][a-zA-Z0-9_]*\(/y;
const QUANTIFIER = /(oneof|anyof|allof)[ \t\b\r\n]+(?=\(|(?!(?:and|or)(?![a-zA-Z0-9_]))[a-zA-Z])/y;

const ESCAPES: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", "\\": "\\", "/": "/" };

export class Lexer {
  readonly text: string;
  offset = 0;
  /** The token taken last, for messages. */
  last = "";

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.offset >= this.text.length;
  }

  fail(message: string, offset: number = this.offset): never {
    throw new SyntaxProblem(message, offset);
  }

  blank(): boolean {
    return this.#match(BLANK) !== undefined;
  }

  not(): boolean {
    return this.#take(NOT) !== undefined;
  }

  identifier(): string | undefined {
    return this.#take(IDENTIFIER);
  }

  field(): string | undefined {
    return this.#take(FIELD);
  }

  bareArgument(): string | undefined {
    return this.#take(BARE_ARGUMENT);
  }

  number(): string | undefined {
    return this.#take(HEX_NUMBER) ?? this.#take(NUMBER);
  }

  bareString(): string | undefined {
    return this.#take(BARE_STRING);
  }

  literal(word: string): boolean {
    if (!this.text.startsWith(word, this.offset)) return false;
    this.offset += word.length;
    this.last = word;
    return true;
  }

  /** A name and the "(" directly behind it, if `accept` takes the name. */
  call(accept: (name: string) => boolean): string | undefined {
    const start = this.offset;
    const name = this.#match(CALL)?.slice(0, -1);
    if (name !== undefined && accept(name)) {
      this.last = name;
      return name;
    }
    this.offset = start;
    return undefined;
  }

  operator(): { word: string; right: RightShape } | undefined {
    for (const [word, right] of OPERATORS) {
      if (!this.text.startsWith(word, this.offset)) continue;
      const end = this.offset + word.length;
      // Words that take a string want a blank behind them; "in(a)" and "=a" need none.
      if (right === "string" && /[a-z]$/.test(word) && !isBlank(this.text[end])) continue;
      this.offset = end;
      this.last = word;
      return { word, right };
    }
    return undefined;
  }

  /** oneof, anyof or allof; the words themselves are values where nothing they could quantify follows. */
  quantifier(): Quantifier | undefined {
    const start = this.offset;
    if (!this.blank()) return undefined;
    const found = this.#match(QUANTIFIER);
    if (found === undefined) this.offset = start;
    return QUANTIFIERS.find((word) => found?.startsWith(word));
  }

  quoted(): string | undefined {
    const quote = this.text[this.offset];
    if (quote !== "'" && quote !== '"') return undefined;
    // As in Falco, a quote behind a backslash does not close, whatever stands before the backslash.
    let end = this.offset + 1;
    while (end < this.text.length && (this.text[end] !== quote || this.text[end - 1] === "\\")) end++;
    if (end >= this.text.length) return undefined;
    const value = this.#unescape(this.offset + 1, end, quote);
    this.offset = end + 1;
    this.last = value;
    return value;
  }

  #unescape(start: number, end: number, quote: string): string {
    let value = "";
    for (let at = start; at < end; at++) {
      const character = this.text[at] as string;
      if (character !== "\\") {
        value += character;
        continue;
      }
      const escaped = this.text[++at] as string;
      // Rules in the wild write backslash-blank for a backslash; Falco takes it so.
      if (escaped === " ") value += "\\";
      else if (escaped === quote) value += quote;
      else if (escaped === "x" && /^[0-9a-fA-F]{2}$/.test(this.text.slice(at + 1, at + 3))) {
        value += String.fromCharCode(Number.parseInt(this.text.slice(at + 1, at + 3), 16));
        at += 2;
      } else if (Object.hasOwn(ESCAPES, escaped)) value += ESCAPES[escaped];
      else if (escaped === "'" || escaped === '"')
        this.fail(`invalid \\${escaped} escape in ${quote}-quoted string`, at);
      else this.fail(`unsupported string escape sequence: \\${escaped}`, at);
    }
    return value;
  }

  #take(pattern: RegExp): string | undefined {
    const found = this.#match(pattern);
    if (found !== undefined) this.last = found.trimEnd();
    return found;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.offset += found.length;
    return found;
  }
}

function isBlank(character: string | undefined): boolean {
  return character !== undefined && " \t\b\r\n".includes(character);
}
