// Evaluates an expression by walking it: the plain meaning, which the compiled form is held against.
import type { Getter, Value } from "../fields/definition.ts";
import type { Expression, Term, Test } from "../language/expression.ts";
import { holds } from "../language/tests.ts";
import { transform } from "../language/transformers.ts";

type FieldTerm = Term & { kind: "field" };

/** Whether an expression is true of whatever `read` takes its fields' values from. */
export function interpret(expression: Expression, read: (field: FieldTerm) => Value): boolean {
  switch (expression.kind) {
    case "constant":
      return expression.value;
    case "not":
      return !interpret(expression.part, read);
    case "and":
      return expression.parts.every((part) => interpret(part, read));
    case "or":
      return expression.parts.some((part) => interpret(part, read));
    case "exactly-one":
      return expression.parts.filter((part) => interpret(part, read)).length === 1;
    case "test":
      return interpretTest(expression, read);
  }
}

function interpretTest(test: Test, read: (field: FieldTerm) => Value): boolean {
  const operand = test.right ? valueOfTerm(test.right, read) : test.operand;
  return holds(test.test, valueOfTerm(test.left, read), operand, test.several);
}

/** The value of a term. */
export function valueOfTerm(term: Term, read: (field: FieldTerm) => Value): Value {
  if (term.kind === "field") return read(term);
  if (term.kind === "text") return term.value;
  const values = term.terms.map((inner) => valueOfTerm(inner, read));
  if (term.kind === "call") return transform(term.name, values, term.argument);
  return values.some((value) => value === undefined) ? undefined : (values.flat() as Value[]);
}

/** A getter for a term as it is: the field's own, or one that works the term out. */
export function getterOf(term: Term): Getter {
  if (term.kind === "field") return fieldGetter(term);
  return (view) => valueOfTerm(term, (field) => fieldGetter(field)(view));
}

const getters = new WeakMap<FieldTerm, Getter>();

function fieldGetter(term: FieldTerm): Getter {
  let getter = getters.get(term);
  if (!getter) {
    getter = term.field.getter?.(term.argument) ?? (() => undefined);
    getters.set(term, getter);
  }
  return getter;
}
