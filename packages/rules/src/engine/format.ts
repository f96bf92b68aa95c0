// Outputs: text with fields in it, %proc.name or %proc.aname[2] or %toupper(proc.name), filled in from an event.
import { formatAddress } from "../fields/address.ts";
import type { Value } from "../fields/definition.ts";
import { type CheckContext, checkTerm } from "../language/check.ts";
import { type Term, termName } from "../language/expression.ts";
import { parse } from "../language/parse.ts";

/** An output taken apart: text, and terms whose values go in between. */
export type Format = readonly (string | Term)[];

export type FormatResult = { format: Format } | { message: string; offset: number };

// A field with its argument, or a transformer around one; "*" before it is Falco's word for "even when it is missing".
const TOKEN = /%\*?((?:[a-z0-9]+\()*[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+(?:\[[^\]]*\])?\)*)/g;

/** Takes an output apart. Gives a message where it names a field that is not known. */
export function parseFormat(text: string, context: Pick<CheckContext, "findField">): FormatResult {
  const parts: (string | Term)[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const written = balanced(match[1] as string);
    const start = match.index + match[0].indexOf(match[1] as string);
    const term = readTerm(written, context);
    if ("message" in term) return { message: term.message, offset: match.index };
    parts.push(text.slice(end, match.index), term.term);
    end = start + written.length;
  }
  const stray = /%([a-zA-Z_][a-zA-Z0-9_.]*)/.exec(parts.length === 0 ? text : text.slice(end));
  if (stray) return { message: `invalid formatting token ${stray[1]}`, offset: text.indexOf(stray[0], end) };
  parts.push(text.slice(end));
  return { format: parts.filter((part) => part !== "") };
}

/** Drops closing parentheses that belong to the text around: "(name=%proc.name)". */
function balanced(token: string): string {
  const opened = token.split("(").length - 1;
  const [before = "", ...closings] = token.split(")");
  return before + ")".repeat(Math.min(opened, closings.length));
}

/** A term is what may stand left of "exists", so the parser of conditions reads it. */
function readTerm(text: string, context: Pick<CheckContext, "findField">): { term: Term } | { message: string } {
  const { node } = parse(`${text} exists`);
  if (node?.kind !== "check") return { message: `invalid formatting token ${text}` };
  const result = checkTerm(node.left, context);
  if ("term" in result) return result;
  return { message: result.unknown ? `invalid formatting token ${text}` : result.message };
}

/** What Falco prints for a value that is missing. */
export const MISSING_TEXT = "<NA>";

export function formatValue(value: Value): string {
  if (value === undefined) return MISSING_TEXT;
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return formatAddress(value);
  return Array.isArray(value) ? `(${value.map(formatValue).join(",")})` : String(value);
}

/** Fills in an output; `read` gives the values of its terms. */
export function formatOutput(format: Format, read: (term: Term) => Value): string {
  return format.map((part) => (typeof part === "string" ? part : formatValue(read(part)))).join("");
}

export function termsOfFormat(format: Format): Map<string, Term> {
  const terms = format.filter((part) => typeof part !== "string");
  return new Map(terms.map((term) => [termName(term), term]));
}
