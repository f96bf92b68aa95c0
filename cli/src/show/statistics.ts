// The statistics of a sensor: an account of its events that balances, rates, lag, caches, rules, memory, indicators.
import type { RuleActivity, StageStatus } from "@nightjar/proto";
import type { Reading } from "../connect/reading.ts";
import type { Output } from "../output.ts";
import { spanText } from "../time.ts";
import { CACHES, type Figure, INDICATORS, TOTALS } from "./figures.ts";
import { type LedgerRow, ledgerJson, ledgerLines, ledgerRows, ledgerTotal } from "./ledger.ts";
import { type StageUse, stageUses } from "./stage-use.ts";
import { table } from "./table.ts";
import { count, printable } from "./text.ts";

const RULES_SHOWN = 10;
const MS_PER_S = 1_000;
const BYTES_PER_MB = 1_000_000;
const NS_PER_MS = 1_000_000;

interface Cache {
  name: string;
  stage: string;
  held: number;
  evicted: number;
}

interface RuleFigures {
  name: string;
  evaluated: number;
  matched: number;
  suppressed: number;
  detected: number;
  folded: number;
  time_ns: number;
}

export interface Statistics {
  /** The kernel programs' account since the ring began, as in LedgerRow. */
  kernel: Record<string, unknown>;
  types: Record<string, unknown>[];
  /** Since each stage's start; silent stages count 0. */
  totals: Record<string, number>;
  /** Batches under way, by stream. */
  queued: Record<string, number>;
  /** Between the readings, so many seconds apart. */
  interval_s: number;
  stages: StageUse[];
  caches: Cache[];
  /** Of facts and indicators, since each stage's start. */
  indicators: Record<string, number>;
  /** Those that took the most time, which a sample tells. */
  rules: RuleFigures[];
}

/** Makes the account of what the stages say, and the rates of two readings. */
export function statisticsOf(now: Reading, before: Reading): Statistics {
  const { statuses, queues } = now.state;
  const rows = ledgerOf(statuses);
  const counter = (stage: string, name: string) =>
    Number(statuses.find((one) => one.stage === stage)?.counters[name] ?? 0n);
  const figures = (rowsOf: readonly Figure[]) =>
    Object.fromEntries(rowsOf.map(([name, stage, key]) => [name, counter(stage, key)]));
  return {
    kernel: ledgerJson(ledgerTotal(rows)),
    types: rows.map(ledgerJson),
    totals: figures(TOTALS),
    queued: Object.fromEntries(queues.map(({ stream, messages }) => [stream, messages])),
    interval_s: Math.round(now.atMs - before.atMs) / MS_PER_S,
    stages: stageUses(now, before),
    caches: CACHES.map(([name, stage, held, evicted]) => ({
      ...{ name, stage },
      held: counter(stage, held),
      evicted: counter(stage, evicted),
    })),
    indicators: figures(INDICATORS),
    rules: slowestRules(statuses),
  };
}

export function showStatistics(output: Output, now: Reading, before: Reading): void {
  const statistics = statisticsOf(now, before);
  const sections = [
    ledgerLines(ledgerOf(now.state.statuses)),
    figureLines("TOTAL", TOTALS, statistics.totals),
    Object.entries(statistics.queued).map(([stream, messages]) => `${count(messages)} batches wait in ${stream}`),
    stageLines(statistics.stages),
    cacheLines(statistics.caches),
    figureLines("INDICATORS", INDICATORS, statistics.indicators),
    ruleLines(statistics.rules),
  ];
  for (const [index, lines] of sections.filter(({ length }) => length > 0).entries()) {
    if (index > 0) output.line();
    for (const line of lines) output.line(line);
  }
}

function ledgerOf(statuses: readonly StageStatus[]): LedgerRow[] {
  return ledgerRows(statuses.flatMap(({ ledger }) => ledger));
}

function slowestRules(statuses: readonly StageStatus[]): RuleFigures[] {
  const rules = statuses.flatMap((status) => status.rules);
  const slowest = rules.sort((a, b) => Number(b.timeNs - a.timeNs)).slice(0, RULES_SHOWN);
  return slowest.map(({ name, evaluated, matched, suppressed, detected, folded, timeNs }: RuleActivity) => ({
    name,
    evaluated: Number(evaluated),
    matched: Number(matched),
    suppressed: Number(suppressed),
    detected: Number(detected),
    folded: Number(folded),
    time_ns: Number(timeNs),
  }));
}

function figureLines(title: string, figures: readonly Figure[], values: Readonly<Record<string, number>>): string[] {
  const rows = figures.map(([name, stage, , doc]) => [name, count(values[name] ?? 0), stage, doc]);
  return table([[title, "COUNT", "STAGE", "SINCE THE STAGE'S START"], ...rows], [1]);
}

const shown = (value: number | undefined, unit: string) => (value === undefined ? "-" : `${count(value)}${unit}`);
const megabytes = (bytes: number) => `${count(Math.round(bytes / BYTES_PER_MB))} MB`;

function stageLines(stages: readonly StageUse[]): string[] {
  const rows = stages.map(({ stage, uptime_s, events_per_s, cpu_percent, memory_bytes, lag_messages }) => [
    ...[stage, shown(events_per_s, ""), shown(cpu_percent, " %"), megabytes(memory_bytes), count(lag_messages)],
    spanText(uptime_s * MS_PER_S),
  ]);
  const sum = (of: (use: StageUse) => number) => stages.reduce((total, use) => total + of(use), 0);
  const cpu = Math.round(sum((use) => use.cpu_percent ?? 0) * 10) / 10;
  const total = ["all", "", shown(cpu, " %"), megabytes(sum((use) => use.memory_bytes)), "", ""];
  return table([["STAGE", "EVENTS/S", "CPU", "MEMORY", "LAG", "UP"], ...rows, total], [1, 2, 3, 4]);
}

function cacheLines(caches: readonly Cache[]): string[] {
  const rows = caches.map(({ name, stage, held, evicted }) => [name, count(held), count(evicted), stage]);
  return table([["KEPT", "NOW", "EVICTED", "STAGE"], ...rows], [1, 2]);
}

function ruleLines(rules: readonly RuleFigures[]): string[] {
  if (rules.length === 0) return [];
  const rows = rules.map(({ name, evaluated, matched, detected, time_ns }) => [
    ...[count(evaluated), count(matched), count(detected), `${(time_ns / NS_PER_MS).toFixed(1)} ms`],
    printable(name),
  ]);
  return table([["ASKED", "MATCHED", "DETECTED", "TIME", "RULE"], ...rows], [0, 1, 2, 3]);
}
