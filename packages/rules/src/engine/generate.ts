// Writes a JavaScript function for each condition of an event type, when it is first asked. What goes into the text is
// names it makes itself, and literals through JSON.stringify; everything else is handed over as a value.

import type { Getter } from "../fields/definition.ts";
import { once } from "../fields/once.ts";
import { type Expression, type Term, type Test, termName } from "../language/expression.ts";
import { holds, testRow } from "../language/tests.ts";
import type { EventView } from "./event-view.ts";
import { getterOf } from "./interpret.ts";

/** Whether a condition is true of the event that the view shows. */
export type Condition = (view: EventView) => boolean;

/** Deeper expressions are cut into functions of their own, so that no parser runs out of stack. */
const INLINE_DEPTH_MAX = 16;

/**
 * Makes functions of conditions that are asked about the same events: every field, and every part that stands in
 * several places, is worked out once for an event, whichever condition asks first.
 */
export class Generator {
  readonly #getters = new Map<string, Getter>();
  readonly #uses = new Map<Expression, number>();
  readonly #shared = new Map<Expression, Condition>();

  /** All conditions that may be asked for: what of them they have in common is shared. */
  constructor(conditions: Iterable<Expression>) {
    for (const condition of conditions) this.#count(condition);
  }

  /** The value of a term, worked out once for an event. */
  getter(term: Term): Getter {
    const name = termName(term);
    let getter = this.#getters.get(name);
    if (!getter) {
      getter = once(getterOf(term));
      this.#getters.set(name, getter);
    }
    return getter;
  }

  condition(expression: Expression): Condition {
    return new Writer(this).condition(expression);
  }

  /** The function of a part that stands in several places; undefined where it stands in one. */
  shared(expression: Expression): Condition | undefined {
    if ((this.#uses.get(expression) ?? 0) <= 1) return undefined;
    let condition = this.#shared.get(expression);
    if (!condition) {
      condition = once(this.condition(expression));
      this.#shared.set(expression, condition);
    }
    return condition;
  }

  #count(expression: Expression): void {
    if (expression.kind === "constant" || expression.kind === "test") return;
    const uses = this.#uses.get(expression) ?? 0;
    this.#uses.set(expression, uses + 1);
    if (uses > 0) return;
    if (expression.kind === "not") this.#count(expression.part);
    else for (const part of expression.parts) this.#count(part);
  }
}

/** Writes one function. What it calls and compares with are its values, v[0], v[1], … */
class Writer {
  readonly #generator: Generator;
  readonly #values: unknown[] = [];
  readonly #names = new Map<unknown, string>();

  constructor(generator: Generator) {
    this.#generator = generator;
  }

  condition(expression: Expression): Condition {
    const body = this.#inline(expression, 0);
    const names = this.#values.map((_, at) => `v${at}`).join(",");
    const make = new Function("v", "holds", `"use strict";const [${names}]=v;return(e)=>${body};`) as (
      values: readonly unknown[],
      ask: typeof holds,
    ) => Condition;
    return make(this.#values, holds);
  }

  #expression(expression: Expression, depth: number): string {
    if (expression.kind === "constant") return String(expression.value);
    const shared = expression.kind === "test" ? undefined : this.#generator.shared(expression);
    if (shared) return `${this.#value(shared)}(e)`;
    if (depth < INLINE_DEPTH_MAX) return this.#inline(expression, depth);
    return `${this.#value(this.#generator.condition(expression))}(e)`;
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
    return term.kind === "text" ? JSON.stringify(term.value) : `${this.#value(this.#generator.getter(term))}(e)`;
  }

  #value(value: unknown): string {
    let name = this.#names.get(value);
    if (name === undefined) {
      name = `v${this.#values.push(value) - 1}`;
      this.#names.set(value, name);
    }
    return name;
  }
}
