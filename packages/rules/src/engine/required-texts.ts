// Finds texts without which a condition cannot be true: the index asks for them first, and for the rule only then.
import { findField } from "../fields/catalogue.ts";
import { CONVERSIONS } from "../language/conversions.ts";
import { type Expression, remembering, type Term, type Test } from "../language/expression.ts";
import { type TextPart, textPartsOf } from "../language/tests.ts";

/** Where the condition is true, the term's value, or one of its values, holds one of these parts. */
export interface Requirement {
  term: Term;
  parts: readonly TextPart[];
}

/** Any of these must be fulfilled; undefined where nothing is required. */
type Requirements = readonly Requirement[];

/** Longer lists of texts are not indexed: nearly everything would hold one of them. */
const PARTS_MAX = 4096;
/** Shorter texts are in everything, or one of few values as those of fd.typechar. */
const CHARACTERS_MIN = 2;
/** Beyond so many characters a part is not rarer. */
const CHARACTERS_THAT_COUNT = 12;
/** Few values are the whole of a text, many hold it somewhere. */
const ADDED_WHEN_WHOLE = 8;
const ADDED_AT_AN_END = 2;
/** What is worked out from many values, or by a transformer, costs more to ask for. */
const TAKEN_WHEN_COSTLY = 6;

/** Makes the function that finds the rarest requirement; undefined where the condition may be true without any. */
export function requirementFinder(): (expression: Expression) => Requirements | undefined {
  const whenTrue = remembering((expression: Expression): Requirements | undefined => {
    switch (expression.kind) {
      case "constant":
        return expression.value ? undefined : [];
      case "not":
        return whenFalse(expression.part);
      case "and":
        return rarest(expression.parts.map(whenTrue));
      case "or":
      case "exactly-one":
        return either(expression.parts.map(whenTrue));
      case "test":
        return ofTest(expression);
    }
  });
  // That a test is false requires no text.
  const whenFalse = remembering((expression: Expression): Requirements | undefined => {
    switch (expression.kind) {
      case "constant":
        return expression.value ? [] : undefined;
      case "not":
        return whenTrue(expression.part);
      case "and":
        return either(expression.parts.map(whenFalse));
      case "or":
        return rarest(expression.parts.map(whenFalse));
      default:
        return undefined;
    }
  });
  return whenTrue;
}

function ofTest({ test, left, right, operand }: Test): Requirements | undefined {
  // A value of the type `dynamic` may be a number, of which the index knows nothing.
  if (right || left.type !== "string" || left.kind === "text") return undefined;
  // Fields of few values, such as evt.type, tell hardly anything once the event type is known.
  if (left.kind === "field" && left.field.valuesOn) return undefined;
  const parts = textPartsOf(test, operand);
  return parts && usable(left, parts);
}

/** Asked of the term in which this one's value stands, if there is such a one: the fewer terms, the fewer questions. */
function usable(term: Term, parts: readonly TextPart[]): Requirements | undefined {
  if (parts.some(({ text }) => text.length < CHARACTERS_MIN)) return undefined;
  const outer = outerOf(term);
  const outerParts = parts.flatMap((part) => outer?.part(part) ?? []);
  return outer && outerParts.length === parts.length ? usable(outer.term, outerParts) : [{ term, parts }];
}

interface Outer {
  term: Term;
  part: (part: TextPart) => TextPart | undefined;
}

function outerOf(term: Term): Outer | undefined {
  if (term.kind === "call") {
    const [inner] = term.terms;
    const part = CONVERSIONS.get(term.name)?.part;
    return part && inner?.type === "string" && inner.kind !== "text" ? { term: inner, part } : undefined;
  }
  if (term.kind !== "field" || term.argument !== undefined || !term.field.within) return undefined;
  const field = findField(term.field.within.field)?.field;
  return field && { term: { kind: "field", field, type: field.type, list: false }, part: term.field.within.part };
}

function either(all: readonly (Requirements | undefined)[]): Requirements | undefined {
  const found: Requirement[] = [];
  for (const each of all) {
    if (!each) return undefined;
    found.push(...each);
  }
  return found.reduce((sum, { parts }) => sum + parts.length, 0) > PARTS_MAX ? undefined : found;
}

function rarest(all: readonly (Requirements | undefined)[]): Requirements | undefined {
  let best: Requirements | undefined;
  let bestRarity = Number.NEGATIVE_INFINITY;
  for (const each of all) {
    if (!each) continue;
    const rarity = rarityOf(each);
    if (rarity <= bestRarity) continue;
    best = each;
    bestRarity = rarity;
  }
  return best;
}

/** As rare as the commonest of what would do; a guess, on which only speed depends. */
function rarityOf(requirements: Requirements): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { term, parts } of requirements) {
    const plain = term.kind === "field" && !term.list && term.argument === undefined;
    const cost = plain ? 0 : TAKEN_WHEN_COSTLY;
    for (const { text, at } of parts) {
      const added = at === "whole" ? ADDED_WHEN_WHOLE : at === "anywhere" ? 0 : ADDED_AT_AN_END;
      least = Math.min(least, Math.min(text.length, CHARACTERS_THAT_COUNT) + added - cost);
    }
  }
  return least;
}
