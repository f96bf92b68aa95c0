// Lowers a rule's conditions: names of detections to what they say, «N of» to its combinations.

import { fail } from "../files/decode.ts";
import { and, type Expression, NEVER, not, or } from "../language/expression.ts";
import { type Condition, namesFitting } from "./condition.ts";
import { lowerDetection } from "./lower.ts";
import { type Placeholders, withPlaceholderValues } from "./placeholders.ts";
import type { SigmaFilter, SigmaRule } from "./read.ts";
import type { View } from "./view.ts";

type Document = SigmaRule | SigmaFilter;

/** How many detections one condition may name by its patterns, each place counted. */
const NAMED_MAX = 10_000;

/** Lowers one rule, with its filters, for each view of its logsource. */
export class Lowering {
  readonly #placeholders: Placeholders;
  /** Names of fields, with the number of views that do not have them. */
  readonly unserved = new Map<string, number>();
  #named = 0;

  constructor(placeholders: Placeholders) {
    this.#placeholders = placeholders;
  }

  /** What documents say together of a view's records: all must hold. */
  lower(documents: readonly Document[], view: View): Expression {
    const missing = new Set<string>();
    const expression = and(documents.map((document) => this.#document(document, view, missing)));
    for (const name of missing) this.unserved.set(name, (this.unserved.get(name) ?? 0) + 1);
    return expression;
  }

  #document(document: Document, view: View, missing: Set<string>): Expression {
    const lowered = new Map<string, Expression>();
    const ofName = (name: string): Expression => {
      const found = lowered.get(name) ?? this.#detection(document, name, view, missing);
      lowered.set(name, found);
      return found;
    };
    const ofCondition = (condition: Condition, at: number): Expression => {
      if (condition.kind === "not") return not(ofCondition(condition.part, at));
      if (condition.kind === "name") {
        if (!document.detections.has(condition.name)) {
          const message = `there is no detection '${condition.name}'`;
          this.#refuse(document, at, condition.offset, message);
        }
        return ofName(condition.name);
      }
      if (condition.kind === "of") return this.#quantified(document, condition, at, ofName);
      const parts = condition.parts.map((part) => ofCondition(part, at));
      return condition.kind === "and" ? and(parts) : or(parts);
    };
    return or(document.conditions.map(({ condition }, at) => ofCondition(condition, at)));
  }

  #refuse({ conditions, item }: Document, at: number, offset: number, message: string): never {
    const written = conditions[at]?.written;
    return fail("SIGMA_CONDITION", message, (written as NonNullable<typeof written>).mapped().place(offset), item);
  }

  #detection(document: Document, name: string, view: View, missing: Set<string>): Expression {
    const detection = document.detections.get(name);
    if (!detection) return NEVER;
    const known = withPlaceholderValues(detection, this.#placeholders, (placeholder, place) =>
      fail("SIGMA_PLACEHOLDER_UNKNOWN", `nothing says what %${placeholder}% stands for`, place, document.item),
    );
    return lowerDetection(known, view, missing);
  }

  #quantified(
    document: Document,
    condition: Condition & { kind: "of" },
    at: number,
    ofName: (name: string) => Expression,
  ): Expression {
    const names = namesFitting(condition.pattern, document.detections.keys());
    if (names.length === 0) {
      this.#refuse(document, at, condition.offset, `no detection is called '${condition.pattern}'`);
    }
    this.#named += names.length;
    if (this.#named > NAMED_MAX) {
      fail("SIGMA_TOO_LARGE", `the condition names more than ${NAMED_MAX} detections`, document.place, document.item);
    }
    const parts = names.map(ofName);
    const { count } = condition;
    if (count === "all" || count === parts.length) return and(parts);
    return count === 1 ? or(parts) : atLeast(count, parts);
  }
}

/** So many of the parts at least. What is worked out for the rest of the parts is shared. */
function atLeast(count: number, parts: readonly Expression[]): Expression {
  // Of the parts from `at` on, so many: needed[n] for n up to count, from the last part to the first.
  let needed: Expression[] = [and([]), ...new Array<Expression>(Math.min(count, parts.length)).fill(NEVER)];
  for (let at = parts.length - 1; at >= 0; at--) {
    const part = parts[at] as Expression;
    needed = needed.map((rest, number) =>
      number === 0 ? rest : or([and([part, needed[number - 1] as Expression]), rest]),
    );
  }
  return count > parts.length ? NEVER : (needed[count] as Expression);
}
