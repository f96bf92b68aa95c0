// Writes one JavaScript function for the conditions of an event type. What goes into the text is names it makes itself,
// and literals through JSON.stringify; everything else is handed over as a value.
import type { Getter } from "../fields/definition.ts";
import { type Expression, type Term, type Test, termName } from "../language/expression.ts";
import { holds, testRow } from "../language/tests.ts";
import type { EventView } from "./event-view.ts";
import { getterOf } from "./interpret.ts";

/** Puts the numbers of the conditions that are true of an event to the end of `hits`. */
export type Matcher = (view: EventView, hits: number[]) => void;

/** V8 does not optimize very long functions, so conditions are spread over several of this many characters. */
const CHUNK_CHARACTERS_MAX = 8000;
/** Deeper expressions are cut into functions of their own, so that no parser runs out of stack. */
const INLINE_DEPTH_MAX = 16;
/** The counter of events stays a small integer, which V8 compares fastest; then all memories are emptied. */
const GENERATION_MAX = 2 ** 30;

/** Compiles conditions to one function that says which of them hold. They are numbered as they stand. */
export function generate(conditions: readonly Expression[]): Matcher {
  const writer = new Writer(conditions);
  const body = writer.body(conditions);
  const make = new Function("values", "getters", "holds", body) as (
    values: readonly unknown[],
    getters: readonly Getter[],
    ask: typeof holds,
  ) => Matcher;
  return make(writer.values, writer.getters, holds);
}

/**
 * Every field, and every part that stands in several places, has a function that remembers its answer for the event:
 * `m` is the number of the event it was asked about last, `v` what it answered.
 */
class Writer {
  readonly values: unknown[] = [];
  readonly getters: Getter[] = [];
  readonly #terms = new Map<string, string>();
  readonly #keys = new Map<Expression, number>();
  readonly #keyNumbers = new Map<string, number>();
  readonly #uses = new Map<number, number>();
  readonly #shared = new Map<number, string>();
  readonly #head: string[] = [];
  #memories = 0;

  constructor(conditions: readonly Expression[]) {
    for (const condition of conditions) this.#count(condition);
  }

  body(conditions: readonly Expression[]): string {
    const chunks: string[] = [""];
    for (const [number, condition] of conditions.entries()) {
      if ((chunks.at(-1) as string).length > CHUNK_CHARACTERS_MAX) chunks.push("");
      chunks[chunks.length - 1] += `if(${this.#expression(condition, 0)})hits.push(${number});\n`;
    }
    const functions = chunks.map((chunk, at) => `function chunk${at}(e,hits){\n${chunk}}\n`);
    const calls = chunks.map((_, at) => `chunk${at}(e,hits);`).join("");
    const forget = Array.from({ length: this.#memories }, (_, at) => `m${at}=0;`).join("");
    return [
      '"use strict";let now=0;\n',
      ...this.#head,
      ...functions,
      `return(e,hits)=>{if(++now>${GENERATION_MAX}){now=1;${forget}}${calls}};`,
    ].join("");
  }

  #key(expression: Expression): number {
    let key = this.#keys.get(expression);
    if (key === undefined) {
      const name = this.#name(expression);
      key = this.#keyNumbers.get(name) ?? this.#keyNumbers.size;
      this.#keyNumbers.set(name, key);
      this.#keys.set(expression, key);
    }
    return key;
  }

  /** Equal expressions have equal names, whichever rule they stand in. */
  #name(expression: Expression): string {
    if (expression.kind === "constant") return String(expression.value);
    if (expression.kind === "not") return `not ${this.#key(expression.part)}`;
    if (expression.kind === "test")
      return `${termName(expression.left)} ${expression.several ?? ""} ${expression.source}`;
    return `${expression.kind} ${expression.parts.map((part) => this.#key(part)).join(" ")}`;
  }

  #count(expression: Expression): void {
    const key = this.#key(expression);
    const uses = this.#uses.get(key) ?? 0;
    this.#uses.set(key, uses + 1);
    if (uses > 0) return;
    if (expression.kind === "not") this.#count(expression.part);
    else if (expression.kind !== "constant" && expression.kind !== "test")
      for (const part of expression.parts) this.#count(part);
  }

  #expression(expression: Expression, depth: number): string {
    if (expression.kind === "constant") return String(expression.value);
    const key = this.#key(expression);
    const shared = this.#shared.get(key);
    if (shared) return shared;
    const compound = expression.kind !== "test" && expression.kind !== "not";
    if ((compound && (this.#uses.get(key) ?? 0) > 1) || depth >= INLINE_DEPTH_MAX) {
      const name = this.#remembering(this.#inline(expression, 0));
      this.#shared.set(key, name);
      return name;
    }
    return this.#inline(expression, depth);
  }

  #inline(expression: Expression, depth: number): string {
    if (expression.kind === "constant") return String(expression.value);
    if (expression.kind === "test") return this.#test(expression);
    if (expression.kind === "not") return `!(${this.#expression(expression.part, depth + 1)})`;
    const parts = expression.parts.map((part) => this.#expression(part, depth + 1));
    if (expression.kind === "exactly-one") return `((${parts.map((part) => `(${part}?1:0)`).join("+") || "0"})===1)`;
    return `(${parts.join(expression.kind === "and" ? "&&" : "||")})`;
  }

  #test(test: Test): string {
    const row = testRow(test.test);
    const value = this.#term(test.left);
    if (row.code && !test.right && !test.several) {
      const writable = !(typeof test.operand === "object" || typeof test.operand === "function");
      return row.code(value, writable ? "" : this.#value(test.operand), test.operand);
    }
    const operand = test.right ? this.#term(test.right) : this.#value(test.operand);
    return `holds(${JSON.stringify(test.test)},${value},${operand},${JSON.stringify(test.several)})`;
  }

  #term(term: Term): string {
    if (term.kind === "text") return JSON.stringify(term.value);
    const name = termName(term);
    let call = this.#terms.get(name);
    if (!call) {
      const number = this.getters.push(getterOf(term)) - 1;
      this.#head.push(`const g${number}=getters[${number}];\n`);
      call = this.#remembering(`g${number}(e)`);
      this.#terms.set(name, call);
    }
    return call;
  }

  #value(value: unknown): string {
    const number = this.values.push(value) - 1;
    this.#head.push(`const o${number}=values[${number}];\n`);
    return `o${number}`;
  }

  #remembering(code: string): string {
    const at = this.#memories++;
    this.#head.push(
      `let m${at}=0,v${at};function f${at}(e){if(m${at}!==now){v${at}=${code};m${at}=now;}return v${at};}\n`,
    );
    return `f${at}(e)`;
  }
}
