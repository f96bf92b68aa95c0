// Narrows an expression to one event type: fields it does not have are missing, its calls are few, so much is decided.
import type { Value } from "../fields/definition.ts";
import { ALWAYS, and, type Expression, NEVER, not, or, type Term, type Test } from "../language/expression.ts";
import { holds } from "../language/tests.ts";

/** Makes the function that narrows expressions to an event type; parts that are shared stay shared. */
export function specialiser(eventType: number): (expression: Expression) => Expression {
  const done = new Map<Expression, Expression>();
  const narrow = (expression: Expression): Expression => {
    let narrowed = done.get(expression);
    if (!narrowed) {
      narrowed = compute(expression);
      done.set(expression, narrowed);
    }
    return narrowed;
  };
  const compute = (expression: Expression): Expression => {
    switch (expression.kind) {
      case "constant":
        return expression;
      case "not":
        return not(narrow(expression.part));
      case "and":
        return and(expression.parts.map(narrow));
      case "or":
        return or(expression.parts.map(narrow));
      case "exactly-one":
        return { kind: "exactly-one", parts: expression.parts.map(narrow) };
      case "test":
        return narrowTest(expression, eventType);
    }
  };
  return narrow;
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
