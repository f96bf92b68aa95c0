// Why a rule was true of an event, or was not, as a person reads it: the condition's parts with what they saw.
import { basename } from "node:path";
import type { Output } from "../output.ts";
import { printable } from "./text.ts";

/** A part of a condition; parts that stand in it follow it, one deeper. */
export interface ShownPart {
  depth: number;
  kind: string;
  holds: boolean;
  test: string;
  seen: readonly { field: string; value?: string; reason?: string }[];
  place?: { file: string; line: number; column: number };
}

export interface ShownExplanation {
  parts: readonly ShownPart[];
  omitted: number;
}

const KINDS: Readonly<Record<string, string>> = {
  all: "all of",
  any: "any of",
  "exactly-one": "exactly one of",
  not: "not",
};
const INDENT = "    ";
/** Longer tests push what they saw to the right; the others stay in line. */
const TESTS_WIDTH_MAX = 60;

/** One line a part: whether it holds, the test, what it saw, where it stands. */
export function showExplanation(output: Output, { parts, omitted }: ShownExplanation): void {
  const shown = parts.map((part) => [whatOf(part), seenOf(part)] as const);
  const width = Math.min(TESTS_WIDTH_MAX, Math.max(0, ...shown.map(([what]) => what.length)));
  for (const [at, part] of parts.entries()) {
    const [what = "", seen = ""] = shown[at] ?? [];
    const mark = part.holds ? output.paint("green", "✓") : output.paint("red", "✗");
    const place = part.place ? output.paint("dim", printable(placeText(part.place))) : "";
    const text = what.trimStart();
    const line = [
      `${what.slice(0, what.length - text.length)}${mark} ${text.padEnd(width - what.length + text.length)}`,
    ];
    output.line(`${INDENT}${[...line, seen, place].filter((one) => one !== "").join("  ")}`.trimEnd());
  }
  if (omitted > 0) output.line(`${INDENT}… and ${omitted} more parts`);
}

/** The file's name alone: where its folder is stands with the rule. */
function placeText({ file, line, column }: NonNullable<ShownPart["place"]>): string {
  return `${basename(file)}:${line}:${column}`;
}

function whatOf({ depth, kind, holds, test }: ShownPart): string {
  const what = kind === "test" ? printable(test) : (KINDS[kind] ?? (holds ? "always" : "never"));
  return "  ".repeat(depth) + what;
}

function seenOf({ seen }: ShownPart): string {
  return seen
    .map(({ field, value, reason }) => {
      if (value !== undefined) return `${field} is ${JSON.stringify(printable(value))}`;
      return `${field} is missing${reason ? `: ${reason}` : ""}`;
    })
    .join(", ");
}
