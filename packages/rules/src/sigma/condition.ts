// Parses Sigma's conditions: and, or, not, parentheses, and «N of» with patterns of names.
import type { ProblemCode } from "../problem.ts";

/** A condition: names of detections and what joins them. */
export type Condition =
  | { kind: "name"; name: string; offset: number }
  /** So many of the detections whose names fit: all, or a number at least. */
  | { kind: "of"; count: number | "all"; pattern: string; offset: number }
  | { kind: "and" | "or"; parts: readonly Condition[] }
  | { kind: "not"; part: Condition };

export interface ConditionFault {
  code: ProblemCode;
  message: string;
  offset: number;
}

/** Parentheses and nots may stand in one another so deep. */
const NESTING_MAX = 100;
const CONDITION_CHARACTERS_MAX = 65_536;

interface Token {
  text: string;
  offset: number;
}

class FaultError extends Error {
  readonly fault: ConditionFault;
  constructor(fault: ConditionFault) {
    super(fault.message);
    this.fault = fault;
  }
}

function refuse(message: string, offset: number, code: ProblemCode = "SIGMA_CONDITION"): never {
  throw new FaultError({ code, message, offset });
}

/** Parses a condition. Gives it, or the first fault with its offset in the text. */
export function parseSigmaCondition(text: string): { condition: Condition } | { fault: ConditionFault } {
  try {
    if (text.length > CONDITION_CHARACTERS_MAX) {
      refuse(`the condition has more than ${CONDITION_CHARACTERS_MAX} characters`, 0, "SIGMA_TOO_LARGE");
    }
    const parser = new Parser(tokenize(text), text.length);
    return { condition: parser.whole() };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { fault: error.fault };
  }
}

const TOKEN = /\s+|[()|]|[\w*.-]+|./gu;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const [found] = match;
    if (found.trim() === "") continue;
    if (found === "|") {
      const message = "aggregations behind a | (count, near, …) are not served: they became correlation rules";
      refuse(message, match.index, "SIGMA_AGGREGATION");
    }
    if (!/^[\w*.\-()]/.test(found)) refuse(`unexpected character '${found}'`, match.index);
    tokens.push({ text: found, offset: match.index });
  }
  return tokens;
}

const OPERATORS = ["and", "or", "not"];
const QUANTIFIER = /^(?:all|any|[0-9]+)$/i;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  whole(): Condition {
    const condition = this.#either();
    const rest = this.#tokens[this.#at];
    if (rest) refuse(`unexpected '${rest.text}'`, rest.offset);
    return condition;
  }

  #is(word: string, ahead = 0): boolean {
    return this.#tokens[this.#at + ahead]?.text.toLowerCase() === word;
  }

  #chain(kind: "and" | "or", next: () => Condition): Condition {
    const parts = [next()];
    while (this.#is(kind)) {
      this.#at++;
      parts.push(next());
    }
    return parts.length === 1 ? (parts[0] as Condition) : { kind, parts };
  }

  #either(): Condition {
    return this.#chain("or", () => this.#chain("and", () => this.#negation()));
  }

  #negation(): Condition {
    let negated = false;
    while (this.#is("not")) {
      negated = !negated;
      this.#at++;
    }
    const part = this.#primary();
    return negated ? { kind: "not", part } : part;
  }

  #primary(): Condition {
    const token = this.#tokens[this.#at];
    if (!token) return refuse("the condition ends where a detection is expected", this.#end);
    const { text, offset } = token;
    if (text === "(") return this.#group(offset);
    if (text === ")" || OPERATORS.includes(text.toLowerCase())) refuse(`unexpected '${text}'`, offset);
    this.#at++;
    if (QUANTIFIER.test(text) && this.#is("of")) return this.#quantified(text.toLowerCase(), offset);
    if (text.includes("*")) refuse(`'${text}' is a pattern of names, which needs «1 of» or «all of» before it`, offset);
    return { kind: "name", name: text, offset };
  }

  #group(offset: number): Condition {
    if (++this.#depth > NESTING_MAX) refuse(`more than ${NESTING_MAX} parentheses in one another`, offset);
    this.#at++;
    const inner = this.#either();
    if (!this.#is(")")) refuse("a parenthesis is not closed", this.#tokens[this.#at]?.offset ?? this.#end);
    this.#at++;
    this.#depth--;
    return inner;
  }

  #quantified(count: string, offset: number): Condition {
    const pattern = this.#tokens[this.#at + 1];
    if (!pattern || !/^[\w*]/.test(pattern.text)) {
      return refuse(`«${count} of» names no detections`, pattern?.offset ?? this.#end);
    }
    this.#at += 2;
    const number = count === "all" ? "all" : count === "any" ? 1 : Number(count);
    return { kind: "of", count: number, pattern: pattern.text, offset };
  }
}

/** The detections that a pattern means, of all there are; `them` leaves out those that begin with an underscore. */
export function namesFitting(pattern: string, names: Iterable<string>): string[] {
  const all = [...names];
  if (pattern.toLowerCase() === "them") return all.filter((name) => !name.startsWith("_"));
  const expression = new RegExp(`^${pattern.split("*").map(escapeRegex).join(".*")}$`, "s");
  return all.filter((name) => expression.test(name) && (pattern.startsWith("_") || !name.startsWith("_")));
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
