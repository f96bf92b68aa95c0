// What of a stage's log a person at the terminal should see: its errors, shortened to a sentence.
import { printable } from "./text.ts";

const TEXT_CHARACTERS_MAX = 400;

/** Undefined for what is no error of our log. */
export function logLine(text: string): string | undefined {
  const entry = parsed(text);
  if (entry?.level !== "ERROR") return undefined;
  const { message, error, code } = entry.fields;
  const cause = error === undefined || error === message ? "" : `: ${error}`;
  return clip(printable(`${code === undefined ? "" : `${code}: `}${message}${cause}`));
}

/** Of what a process wrote before it ended, the line that tells why, where it is none of the log: Node's own crash. */
export function crashReason(lines: readonly string[]): string | undefined {
  const plain = lines.filter((line) => line.trim() !== "" && !parsed(line));
  const reason = plain.find((line) => /^\w*Error\b|^FATAL ERROR/.test(line)) ?? plain.at(-1);
  return reason === undefined ? undefined : clip(printable(reason));
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
