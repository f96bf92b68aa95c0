// Figures and tables for people.
import type { Machine } from "./machine.ts";
import type { Spread } from "./statistics.ts";

const BYTES_PER_GB = 1e9;

export function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

/** The median, and the least and most in brackets. */
export function shown(value: Spread | undefined): string {
  if (!value) return "–";
  return `${number(value.median)} [${number(value.least)}..${number(value.most)}]`;
}

/** Columns as wide as their widest cell, the first to the left and the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(cell).join("  ").trimEnd()}`).join("\n");
}

export function machineText(machine: Machine): string {
  return (
    `${machine.processors} × ${machine.processor}, ${(machine.memoryBytes / BYTES_PER_GB).toFixed(0)} GB, kernel ` +
    `${machine.kernel}, Node ${machine.node}; load average at the start ${machine.loadAverage.toFixed(2)}`
  );
}
