// The expression tree that every rule language is lowered to: few kinds of nodes, checked, with no names left in it.
import type { Field, Several } from "../fields/definition.ts";
import type { ValueType } from "../fields/known.ts";
import type { Place } from "../problem.ts";
import type { TestName } from "./tests.ts";

/** A condition. Nodes are never changed once made and may be shared: what a macro stands for is there once. */
export type Expression =
  | { kind: "constant"; value: boolean }
  | { kind: "and" | "or" | "exactly-one"; parts: readonly Expression[] }
  | { kind: "not"; part: Expression }
  | Test;

/** A question about a value. A missing value answers every test with no. */
export interface Test {
  kind: "test";
  test: TestName;
  left: Term;
  /** What it is held against: a literal, prepared as the test wants it, or the value of another term. */
  operand: Operand;
  right?: Term;
  several?: Several;
  /** Operator and values as written, in one form: equal sources on equal terms are equal tests. */
  source: string;
  /** Where it was written; no part of what it means. */
  origin?: Origin;
}

/** A place that is worked out when somebody asks for it: of a thousand tests one is ever explained. */
export interface Origin {
  text: { place(offset: number): Place };
  offset: number;
}

/** Literals as the tests take them; what each test takes is said in tests.ts. */
export type Operand = unknown;

/** Something that has a value. */
export type Term =
  | { kind: "field"; field: Field; argument?: string; type: ValueType; list: boolean }
  | { kind: "text"; value: string; type: "string"; list: false }
  | { kind: "list"; terms: readonly Term[]; type: ValueType; list: true }
  | { kind: "call"; name: string; argument?: string; terms: readonly Term[]; type: ValueType; list: boolean };

export const NEVER: Expression = { kind: "constant", value: false };
export const ALWAYS: Expression = { kind: "constant", value: true };

/** All of the parts; constants are worked out and nested ones put flat. */
export function and(parts: readonly Expression[]): Expression {
  return combine("and", parts, false);
}

/** One of the parts at least; likewise. */
export function or(parts: readonly Expression[]): Expression {
  return combine("or", parts, true);
}

function combine(kind: "and" | "or", parts: readonly Expression[], decisive: boolean): Expression {
  const kept: Expression[] = [];
  for (const part of parts) {
    if (part.kind === "constant") {
      if (part.value === decisive) return part;
    } else if (part.kind === kind) kept.push(...part.parts);
    else kept.push(part);
  }
  if (kept.length === 0) return decisive ? NEVER : ALWAYS;
  return kept.length === 1 ? (kept[0] as Expression) : { kind, parts: kept };
}

export function not(part: Expression): Expression {
  if (part.kind === "constant") return part.value ? NEVER : ALWAYS;
  return part.kind === "not" ? part.part : { kind: "not", part };
}

/** Macros are shared between rules: what was worked out of one expression serves wherever it stands. */
export function remembering<T>(work: (expression: Expression) => T): (expression: Expression) => T {
  const known = new Map<Expression, T>();
  return (expression) => {
    const found = known.get(expression) ?? work(expression);
    known.set(expression, found);
    return found;
  };
}

/** Makes the function that puts `decide(test)` for each test of an expression; parts that are shared stay shared. */
export function rewriter(decide: (test: Test) => Expression): (expression: Expression) => Expression {
  const rewrite = remembering((expression: Expression): Expression => {
    switch (expression.kind) {
      case "constant":
        return expression;
      case "not":
        return not(rewrite(expression.part));
      case "and":
        return and(expression.parts.map(rewrite));
      case "or":
        return or(expression.parts.map(rewrite));
      case "exactly-one":
        return { kind: "exactly-one", parts: expression.parts.map(rewrite) };
      case "test":
        return decide(expression);
    }
  });
  return rewrite;
}

/**
 * The one form in which a term is written: equal terms have equal names, e.g. "tolower(proc.aname[2])". A name behind
 * evt.arg stands behind a dot, as in most rules; a number in brackets.
 */
export function termName(term: Term): string {
  if (term.kind === "text") return JSON.stringify(term.value);
  if (term.kind === "field" && term.field.dotted && /^[a-z]/.test(term.argument ?? ""))
    return `${term.field.name}.${term.argument}`;
  const argument = "argument" in term && term.argument !== undefined ? `[${term.argument}]` : "";
  if (term.kind === "field") return `${term.field.name}${argument}`;
  const inner = term.terms.map(termName).join(", ");
  return term.kind === "list" ? `(${inner})` : `${term.name}(${inner})${argument}`;
}

/** The source of a test: its operator and values, in one form. */
export function writeSource(operator: string, values: readonly string[]): string {
  return `${operator === "==" ? "=" : operator} ${JSON.stringify(values)}`;
}

/** Every field an expression looks at, each once. */
export function fieldsOf(expression: Expression): Set<Term & { kind: "field" }> {
  const found = new Map<string, Term & { kind: "field" }>();
  const seen = new Set<Expression>();
  const term = (each: Term): void => {
    if (each.kind === "field") found.set(termName(each), each);
    else if (each.kind !== "text") for (const inner of each.terms) term(inner);
  };
  const visit = (node: Expression): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "test") {
      term(node.left);
      if (node.right) term(node.right);
    } else if (node.kind === "not") visit(node.part);
    else if (node.kind !== "constant") for (const part of node.parts) visit(part);
  };
  visit(expression);
  return new Set(found.values());
}
