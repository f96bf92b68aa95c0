// What of a stage's log a person at the terminal should see: its errors, shortened to a sentence.
import { printable } from "./text.ts";

const TEXT_CHARACTERS_MAX = 400;

/** Undefined for what is no error. What is no line of our log, such as a crash of Node itself, is shown as it is. */
export function logLine(text: string): string | undefined {
  const entry = parsed(text);
  if (!entry) return text.trim() === "" ? undefined : clip(printable(text));
  if (entry.level !== "ERROR") return undefined;
  const { message, error, code } = entry.fields;
  const cause = error === undefined || error === message ? "" : `: ${error}`;
  return clip(printable(`${code === undefined ? "" : `${code}: `}${message}${cause}`));
}

function parsed(text: string): { level: string; fields: Record<string, unknown> } | undefined {
  try {
    const entry = JSON.parse(text);
    return typeof entry?.level === "string" && typeof entry.fields === "object" ? entry : undefined;
  } catch {
    return undefined;
  }
}

function clip(text: string): string {
  return text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX)}…` : text;
}
