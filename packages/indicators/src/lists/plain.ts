// Plain lists: an indicator a line, comments behind # or ;, and lines of hosts files ("0.0.0.0 evil.example").
import { readIndicator } from "../indicator.ts";
import type { ListBuilder } from "./list.ts";

/** What hosts files send unwanted names to. */
const SINKS: ReadonlySet<string> = new Set(["0.0.0.0", "127.0.0.1", "::", "::1"]);
const COMMENT = /(?:^|\s)[#;].*$/;

export function readPlain(text: string, list: ListBuilder): void {
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.replace(COMMENT, "").trim().split(/\s+/);
    const isHostsLine = words.length === 2 && SINKS.has(words[0] as string);
    const value = isHostsLine ? (words[1] as string) : words.join(" ");
    if (value === "") continue;
    const indicator = readIndicator(value);
    if (indicator) list.add(indicator, {});
    else list.problem("LIST_VALUE_INVALID", `line ${index + 1}`, shorten(value));
  }
}

const SHOWN_CHARS_MAX = 80;

/** A value as problems tell it. */
export function shorten(value: string): string {
  return value.length > SHOWN_CHARS_MAX ? `${value.slice(0, SHOWN_CHARS_MAX)}…` : value;
}
