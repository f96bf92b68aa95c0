// Where a page of a list ended: values that an answer carries, and the next request brings back.
import { refuse } from "./sensor-service.ts";
import type { Problem } from "./validate.ts";

/** The values of a place; undefined for the beginning. Refused where `problemOf` says so: they come from a client. */
export function placeFrom<Values extends readonly unknown[]>(
  bytes: Uint8Array,
  problemOf: (parsed: unknown) => Problem,
): Values | undefined {
  if (bytes.length === 0) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // No place either: the problem says so.
  }
  refuse(problemOf(parsed));
  return parsed as Values;
}
