// Prints a report for people.
import { machineText, shown, table } from "../common/text.ts";
import { BYTES_PER_MB, type Report, type StormFigures } from "./report.ts";

function counts(record: Record<string, number>): string {
  const parts = Object.entries(record).map(([name, count]) => `${name} ${count.toLocaleString("en")}`);
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
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
    machineText(machine),
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
