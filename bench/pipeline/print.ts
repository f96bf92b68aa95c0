// Prints a report for people.
import { BYTES_PER_MB, type Report, type StormFigures } from "./report.ts";
import type { Spread } from "./statistics.ts";

const BYTES_PER_GB = 1e9;

function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

function shown(value: Spread | undefined): string {
  if (!value) return "–";
  return `${number(value.median)} [${number(value.least)}..${number(value.most)}]`;
}

function counts(record: Record<string, number>): string {
  const parts = Object.entries(record).map(([name, count]) => `${name} ${count.toLocaleString("en")}`);
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

/** Columns as wide as their widest cell, the first to the left and the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(cell).join("  ").trimEnd()}`).join("\n");
}

function stormText(figures: StormFigures): string {
  const rows = [
    ["operations/s, sensor off", shown(figures.operationsPerS)],
    ["time of an operation on/off", shown(figures.wallRatio)],
    ["an operation's own CPU on/off", shown(figures.cpuRatio)],
    ["events submitted/s", shown(figures.submittedPerS)],
    ["events through the rules/s", shown(figures.processedPerS)],
    ["s until the bus was at rest", shown(figures.drainS)],
    ["events submitted", figures.submitted.toLocaleString("en") + counts(figures.submittedByType)],
    ["events filtered in the kernel", figures.filtered.toLocaleString("en")],
    ["events dropped", figures.dropped.toLocaleString("en") + counts(figures.droppedByReason)],
    ...Object.entries(figures.cpuSPerMillionEvents).map(([role, cpu]) => [`CPU s/million events: ${role}`, shown(cpu)]),
    ["sensor CPU µs/operation", shown(figures.cpuUsPerOperation)],
    ["processors busy with other things, off", shown(figures.foreignProcessorsOff)],
    ["processors busy with other things, on", shown(figures.foreignProcessorsOn)],
  ];
  return `${figures.storm} (${figures.rounds} rounds)\n${leftTable(rows)}`;
}

function leftTable(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", ...rest]) => `  ${first.padEnd(width)}  ${rest.join("  ")}`).join("\n");
}

export function reportText(report: Report): string {
  const { machine } = report;
  const ms = (value: number | undefined) => value?.toFixed(1) ?? "–";
  const mb = (bytes: number) => (bytes / BYTES_PER_MB).toFixed(0);
  const aims = report.aims.map(({ what, measured, aim, reached }) => {
    return [what, `${measured}, aim: ${aim}`, reached ? "reached" : "not reached"];
  });
  return [
    `${machine.processors} × ${machine.processor}, ${(machine.memoryBytes / BYTES_PER_GB).toFixed(0)} GB, kernel ` +
      `${machine.kernel}, Node ${machine.node}; load average at the start ${machine.loadAverage.toFixed(2)}`,
    Object.entries(report.versions)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
    "figures are medians over rounds [least..most]; ratios are of two runs in the same round",
    `ready after ${shown(report.startS)} s`,
    ...report.storms.map(stormText),
    `from just before the deed to the detection, ms\n${table([
      ["", "deeds", "missed", "p50", "p99", "most"],
      ...report.latencies.map(({ condition, place, deeds, missed, p50Ms, p99Ms, mostMs }) => [
        `${place}, ${condition}`,
        String(deeds),
        String(missed),
        ms(p50Ms),
        ms(p99Ms),
        ms(mostMs),
      ]),
    ])}`,
    `memory after the storms, MB\n${table([
      ["", "proportional", "peak resident"],
      ...report.memory.map((one) => [one.role, mb(one.proportionalBytes), mb(one.peakResidentBytes)]),
      ["all but the portal", mb(report.proportionalBytesWithoutPortal), ""],
    ])}`,
    `aims\n${leftTable(aims)}`,
  ].join("\n\n");
}
