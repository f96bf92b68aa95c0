// A single condition by itself, over fields of the caller's choice: for tests of rules, filters and conformance.
import { type CheckContext, check } from "../language/check.ts";
import type { Expression } from "../language/expression.ts";
import { parse } from "../language/parse.ts";
import type { EventView } from "./event-view.ts";
import { Generator } from "./generate.ts";

export interface CheckedCondition {
  /** Not there where there is a problem. */
  expression?: Expression;
  problem?: { message: string; offset: number };
  warnings: { message: string; offset: number }[];
}

/** Parses and checks a condition that names no macros. Problems and warnings have their offset in the text. */
export function checkCondition(text: string, context: Omit<CheckContext, "macro">): CheckedCondition {
  const { node, problem } = parse(text);
  if (!node) return { problem, warnings: [] };
  const { checked, refusal, warnings } = check(node, { ...context, macro: () => undefined });
  if (!checked) return { problem: refusal as { message: string; offset: number }, warnings };
  return { expression: checked.expression, warnings };
}

/**
 * Compiles a checked condition to a function of whatever its fields' getters read from: an EventView for the fields of
 * the catalogue itself.
 */
export function compileCondition<Source = EventView>(expression: Expression): (source: Source) => boolean {
  const condition = new Generator([expression]).condition(expression);
  return (source) => condition(source as EventView);
}
