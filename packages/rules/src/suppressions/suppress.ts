// Asks of a match whether a suppression hides it, and which one.
import { compileCondition } from "../engine/condition.ts";
import type { EventView } from "../engine/event-view.ts";
import type { Rule } from "../files/load.ts";
import { appliesTo, type Suppression } from "./load.ts";

interface Compiled {
  suppression: Suppression;
  holds: (view: EventView) => boolean;
}

/**
 * Gives a function that tells which suppression hides a match: the first, in their order, that speaks of the rule, is
 * not over at the time of the event, in ms since 1970, and whose condition is true of the event that `view` is at.
 */
export function compileSuppressions(
  suppressions: readonly Suppression[],
): (rule: Rule, view: EventView, timeMs: number) => Suppression | undefined {
  const compiled = suppressions.map((suppression) => ({
    suppression,
    holds: compileCondition(suppression.expression),
  }));
  const ofRule = new Map<Rule, readonly Compiled[]>();
  return (rule, view, timeMs) => {
    let those = ofRule.get(rule);
    if (!those) {
      those = compiled.filter(({ suppression }) => appliesTo(suppression, rule));
      ofRule.set(rule, those);
    }
    const hiding = those.find(
      ({ suppression: { expiresMs = Number.POSITIVE_INFINITY }, holds }) => timeMs < expiresMs && holds(view),
    );
    return hiding?.suppression;
  };
}
