// Which event types a condition can be true of: an approximation from above that costs one walk for all types at once.
import { eventTypeName, eventTypes } from "@nightjar/proto";
import type { Rule } from "../files/load.ts";
import { type Expression, remembering, type Term, type Test, termName } from "../language/expression.ts";
import { holds } from "../language/tests.ts";
import { specialiser } from "./specialise.ts";

/** A set of event types: bit n stands for the n-th in the order of `eventTypes`. */
type TypeSet = bigint;

const NO_TYPE: TypeSet = 0n;
const EVERY_TYPE: TypeSet = (1n << BigInt(eventTypes.length)) - 1n;

/** A rule as far as it concerns one event type. */
export interface PossibleRule {
  rule: Rule;
  /** Its condition, narrowed to the type; not a constant that is false. */
  expression: Expression;
}

/** Of each event type's id, in order, the rules that can be true of it; types of which none can are left out. */
export function rulesByType(rules: readonly Rule[]): Map<number, PossibleRule[]> {
  const typesOf = typeFinder();
  const withTypes = rules.map((rule) => ({ rule, types: typesOf(rule.expression) }));
  const found = new Map<number, PossibleRule[]>();
  for (const [at, { id }] of eventTypes.entries()) {
    const bit = 1n << BigInt(at);
    const narrow = specialiser(id);
    const possible = withTypes
      .filter(({ types }) => (types & bit) !== NO_TYPE)
      .map(({ rule }) => ({ rule, expression: narrow(rule.expression) }))
      .filter(({ expression }) => expression.kind !== "constant" || expression.value);
    if (possible.length > 0) found.set(id, possible);
  }
  return found;
}

/** Names of the event types that a rule can be true of, as in `proto/`; none where it cannot match at all. */
export function eventTypesOf(rule: Rule): string[] {
  return [...rulesByType([rule]).keys()].map(eventTypeName);
}

/** Makes the function that finds the types; macros and tests that stand in many rules are looked at once. */
function typeFinder(): (expression: Expression) => TypeSet {
  const tests = new Map<string, TypeSet>();
  const setsOf = remembering((expression: Expression): { whenTrue: TypeSet; whenFalse: TypeSet } => {
    switch (expression.kind) {
      case "constant":
        return expression.value
          ? { whenTrue: EVERY_TYPE, whenFalse: NO_TYPE }
          : { whenTrue: NO_TYPE, whenFalse: EVERY_TYPE };
      case "not": {
        const { whenTrue, whenFalse } = setsOf(expression.part);
        return { whenTrue: whenFalse, whenFalse: whenTrue };
      }
      case "exactly-one":
        return { whenTrue: unite(expression.parts.map((part) => setsOf(part).whenTrue)), whenFalse: EVERY_TYPE };
      case "test":
        return ofTest(expression, tests);
    }
    const parts = expression.parts.map(setsOf);
    const whenTrue = parts.map((part) => part.whenTrue);
    const whenFalse = parts.map((part) => part.whenFalse);
    return expression.kind === "and"
      ? { whenTrue: meet(whenTrue), whenFalse: unite(whenFalse) }
      : { whenTrue: unite(whenTrue), whenFalse: meet(whenFalse) };
  });
  return (expression) => setsOf(expression).whenTrue;
}

const unite = (sets: readonly TypeSet[]): TypeSet => sets.reduce((all, set) => all | set, NO_TYPE);
const meet = (sets: readonly TypeSet[]): TypeSet => sets.reduce((all, set) => all & set, EVERY_TYPE);

/** Only of fields whose values are known beforehand, such as evt.type, can it be told that a test is never false. */
function ofTest(test: Test, known: Map<string, TypeSet>): { whenTrue: TypeSet; whenFalse: TypeSet } {
  const { left, right } = test;
  const values = !right && left.kind === "field" ? left.field.valuesOn : undefined;
  if (!values)
    return { whenTrue: typesOfTerm(left) & (right ? typesOfTerm(right) : EVERY_TYPE), whenFalse: EVERY_TYPE };
  const answers = (wanted: boolean): TypeSet => {
    const name = `${wanted} ${test.several} ${termName(left)} ${test.source}`;
    let set = known.get(name);
    if (set === undefined) {
      set = typesWhere((id) => {
        const possible = values(id);
        if (possible.length === 0) return true;
        return possible.some((value) => holds(test.test, value, test.operand, test.several) === wanted);
      });
      known.set(name, set);
    }
    return set;
  };
  const has = typesOfTerm(left);
  return { whenTrue: answers(true) & has, whenFalse: answers(false) | (EVERY_TYPE & ~has) };
}

function typesWhere(holdsOf: (id: number) => boolean): TypeSet {
  return eventTypes.reduce((set, { id }, at) => (holdsOf(id) ? set | (1n << BigInt(at)) : set), NO_TYPE);
}

const listed = new WeakMap<readonly number[], TypeSet>();

/** Event types that have a value for the term. */
function typesOfTerm(term: Term): TypeSet {
  if (term.kind === "text") return EVERY_TYPE;
  if (term.kind !== "field") return meet(term.terms.map(typesOfTerm));
  const { getter, events, eventsFor } = term.field;
  if (!getter) return NO_TYPE;
  const ids = eventsFor?.(term.argument) ?? events;
  let set = listed.get(ids);
  if (set === undefined) {
    const has = new Set(ids);
    set = typesWhere((id) => has.has(id));
    listed.set(ids, set);
  }
  return set;
}
