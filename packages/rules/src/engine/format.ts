// Outputs: text with fields in it, %proc.name or %proc.aname[2] or %toupper(proc.name), filled in from an event.
import { formatAddress } from "@nightjar/events";
import type { Value } from "../fields/definition.ts";
import type { Operand } from "../language/ast.ts";
import { type CheckContext, checkTerm } from "../language/check.ts";
import { type Term, termName } from "../language/expression.ts";
import { parseOperand } from "../language/parse.ts";

/** A place in an output, for the value of a term; with a width it takes exactly as many characters. */
export interface Slot {
  term: Term;
  width?: number;
}

/** An output taken apart: text, and what goes in between. */
export type Format = readonly (string | Slot)[];

export type FormatResult = { format: Format } | { message: string; offset: number };

type Fields = Pick<CheckContext, "findField">;

/** A width that somebody mistyped must not fill the memory. */
const WIDTH_MAX = 1024;

/** Takes an output apart. Gives a message where what stands behind a "%" is no field, as Falco's formatter does. */
export function parseFormat(text: string, context: Fields): FormatResult {
  const parts: (string | Slot)[] = [];
  // Falco's word for "print it even where a field is missing", which is always done.
  let end = text.startsWith("*") ? 1 : 0;
  for (let at = text.indexOf("%", end); at >= 0; at = text.indexOf("%", end)) {
    const slot = readSlot(text, at, context);
    if ("message" in slot) return { message: slot.message, offset: at };
    parts.push(text.slice(end, at), slot.slot);
    end = slot.end;
  }
  parts.push(text.slice(end));
  return { format: parts.filter((part) => part !== "") };
}

/** What stands behind the "%" at an offset: a width, and a field or a transformer around one. */
function readSlot(text: string, at: number, context: Fields): { slot: Slot; end: number } | { message: string } {
  const digits = /^\d*/.exec(text.slice(at + 1))?.[0] ?? "";
  const start = at + 1 + digits.length;
  if (start >= text.length) {
    return { message: `invalid formatting syntax: formatting cannot end with a ${digits === "" ? "%" : "number"}` };
  }
  const width = Number(digits);
  if (width > WIDTH_MAX) return { message: `a width may be ${WIDTH_MAX} characters` };
  const invalid = { message: `invalid formatting token ${/^\S+/.exec(text.slice(start))?.[0] ?? ""}` };
  const found = parseOperand(text, start);
  if (!found) return invalid;
  const known = knownPart(found, start, context);
  const result = checkTerm(known.operand, context);
  if (!("term" in result)) return result.unknown ? invalid : result;
  return { slot: width > 0 ? { term: result.term, width } : { term: result.term }, end: known.end };
}

/** Falco takes the longest name of a field that the text begins with: of "%fd.name.txt" that is fd.name. */
function knownPart(found: { operand: Operand; end: number }, start: number, { findField }: Fields): typeof found {
  const { operand } = found;
  if (operand.kind !== "field" || findField(operand.name, operand.argument)) return found;
  for (let length = operand.name.length - 1; length > 0; length--) {
    const name = operand.name.slice(0, length);
    if (findField(name)) return { operand: { kind: "field", name, offset: operand.offset }, end: start + length };
  }
  return found;
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
  return format
    .map((part) => {
      if (typeof part === "string") return part;
      const text = formatValue(read(part.term));
      return part.width === undefined ? text : text.slice(0, part.width).padEnd(part.width);
    })
    .join("");
}

export function termsOfFormat(format: Format): Map<string, Term> {
  const slots = format.filter((part) => typeof part !== "string");
  return new Map(slots.map(({ term }) => [termName(term), term]));
}
