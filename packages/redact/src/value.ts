// Redacts plain values, as logs have them: texts anywhere in them, and whole what a key says is secret.
import type { Redactor } from "./redactor.ts";

const DEPTH_MAX = 8;
const ENTRIES_MAX = 1_000;

/** A copy of a plain value without secrets. What is nested deeper or longer than a log should be is cut off. */
export function redactValue(redactor: Redactor, value: unknown, name = "", depth = 0): unknown {
  if (typeof value === "string") return name === "" ? redactor.text(value) : redactor.named(name, value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return "…";
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return redactList(redactor, value.slice(0, ENTRIES_MAX), depth);
  const entries = Object.entries(value).slice(0, ENTRIES_MAX);
  return Object.fromEntries(
    entries.map(([key, one]) => [redactor.text(key), redactValue(redactor, one, key, depth + 1)]),
  );
}

function redactList(redactor: Redactor, list: readonly unknown[], depth: number): unknown[] {
  if (list.length > 0 && list.every((one) => typeof one === "string")) return redactor.args(list);
  return list.map((one) => redactValue(redactor, one, "", depth + 1));
}
