// An explanation as it is shown, from the engine's own or from a detection's JSON.
import type { Explanation } from "@nightjar/rules";
import type { ShownExplanation, ShownPart } from "../show/explanation.ts";

export function shownOf({ parts, omitted }: Explanation): ShownExplanation {
  return { omitted, parts: parts.map(({ test = "", seen = [], ...part }) => ({ ...part, test, seen })) };
}

/** Reads the explanation in a detection's JSON, where fields that are not set are left out; undefined without one. */
export function shownOfJson(json: unknown): ShownExplanation | undefined {
  const { parts, omitted = 0 } = (json ?? {}) as { parts?: Partial<ShownPart>[]; omitted?: number };
  if (!Array.isArray(parts)) return undefined;
  return {
    omitted,
    parts: parts.map(({ depth = 0, kind = "test", holds = false, test = "", seen = [], place }) => ({
      ...{ depth, kind, holds, test, seen },
      ...(place && { place }),
    })),
  };
}
