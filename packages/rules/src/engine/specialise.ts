// Narrows an expression to one event type: fields it does not have are missing, its calls are few, so much is decided.
import type { Value } from "../fields/definition.ts";
import { ALWAYS, type Expression, NEVER, rewriter, type Term, type Test } from "../language/expression.ts";
import { holds } from "../language/tests.ts";

/** Makes the function that narrows expressions to an event type; parts that are shared stay shared. */
export function specialiser(eventType: number): (expression: Expression) => Expression {
  return rewriter((test) => narrowTest(test, eventType));
}

function narrowTest(test: Test, eventType: number): Expression {
  if (isMissing(test.left, eventType) || (test.right && isMissing(test.right, eventType))) return NEVER;
  const values = test.right ? undefined : possibleValues(test.left, eventType);
  if (!values) return test;
  const answers = values.map((value) => holds(test.test, value, test.operand, test.several));
  if (answers.every((answer) => answer)) return ALWAYS;
  return answers.some((answer) => answer) ? test : NEVER;
}

function isMissing(term: Term, eventType: number): boolean {
  if (term.kind === "text") return false;
  if (term.kind === "field") {
    const { getter, events, eventsFor } = term.field;
    return !getter || !(eventsFor?.(term.argument) ?? events).includes(eventType);
  }
  return term.terms.some((inner) => isMissing(inner, eventType));
}

function possibleValues(term: Term, eventType: number): readonly Value[] | undefined {
  const values = term.kind === "field" ? term.field.valuesOn?.(eventType) : undefined;
  return values && values.length > 0 ? values : undefined;
}
