// Entries of logs, and their distinct errors: lines for a person, objects for a program.
import type { Level, LogEntry } from "../logs/entry.ts";
import type { DistinctError } from "../logs/errors.ts";
import type { Output, Style } from "../output.ts";
import { table } from "./table.ts";
import { count, printable } from "./text.ts";

const STYLES: Readonly<Record<Level, Style | undefined>> = {
  ERROR: "red",
  WARN: "yellow",
  INFO: undefined,
  DEBUG: "dim",
};
const LEVEL_COLUMNS = 5;
const TARGET_COLUMNS = 11;

/** With --json in the form that the stages write. */
export function showLogEntry(output: Output, entry: LogEntry): void {
  const { timeMs, level, target, fields } = entry;
  const timestamp = new Date(timeMs).toISOString();
  const { message, ...others } = fields;
  const style = STYLES[level];
  const word = level.padEnd(LEVEL_COLUMNS);
  const more = Object.entries(others).map(([name, value]) => `${name}=${fieldText(value)}`);
  const text = [String(message), ...more].map(printable).join(" ");
  output.line(`${timestamp} ${style ? output.paint(style, word) : word} ${target.padEnd(TARGET_COLUMNS)} ${text}`);
  output.json({ timestamp, level, target, fields });
}

const fieldText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

export function showErrors(output: Output, errors: readonly DistinctError[]): void {
  if (errors.length === 0) output.line("no errors");
  const rows = errors.map(({ message, resp, code, error, targets, count: times, last }) => [
    ...[count(times), last, targets.join(", "), code ?? ""],
    printable([message, resp ?? error].filter((text) => text !== undefined && text !== "").join(", ")),
  ]);
  if (rows.length === 0) return;
  for (const line of table([["TIMES", "LAST", "STAGE", "CODE", "MESSAGE"], ...rows], [0])) output.line(line);
}
