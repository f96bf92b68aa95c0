// Patterns of the operator's own, in RE2's syntax: their time is linear, whatever they are put to.
import { RE2JS, RE2JSException } from "re2js";
import type { Span } from "./span.ts";

const PATTERN_CHARACTERS_MAX = 1_000;

/** What is wrong with a pattern, for a person; undefined where nothing is. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > PATTERN_CHARACTERS_MAX) return `it has more than ${PATTERN_CHARACTERS_MAX} characters`;
  try {
    if (RE2JS.compile(pattern).matches("")) return "it is true of nothing at all";
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return error.message;
  }
  return undefined;
}

/** Finds what the patterns match: their first group where they have one. None of them may have a problem. */
export function patternFinder(patterns: readonly string[]): (text: string, spans: Span[]) => void {
  const compiled = patterns.map((pattern) => RE2JS.compile(pattern));
  return (text, spans) => {
    for (const pattern of compiled) {
      const matcher = pattern.matcher(text);
      const group = pattern.groupCount() > 0 ? 1 : 0;
      while (matcher.find()) {
        const start = matcher.start(group);
        if (start >= 0) spans.push({ start, end: matcher.end(group), kind: "custom" });
      }
    }
  };
}
