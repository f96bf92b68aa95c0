// The totals of a sensor, stage by stage.
import type { SensorState } from "../connect/sensor-state.ts";
import type { Output } from "../output.ts";
import { type LedgerRow, ledgerJson, ledgerLines, ledgerRows, ledgerTotal } from "./ledger.ts";
import { table } from "./table.ts";
import { count } from "./text.ts";

/** Each total by its name here: the stage that counts it, its counter, and what it is. */
const TOTALS: readonly [name: string, stage: string, counter: string, doc: string][] = [
  ["published", "collector", "events_published", "events the collector has stored on the bus"],
  ["enriched", "enricher", "events_out", "events given on, with their process"],
  ["unwanted", "enricher", "events_filtered", "events that no rule wants"],
  ["processed", "rule-engine", "events", "events evaluated"],
  ["matches", "rule-engine", "matches", "rules that matched: suppressed, folded, or detections"],
  ["suppressed", "rule-engine", "matches_suppressed", "matches that a suppression hid"],
  ["folded", "rule-engine", "matches_folded", "matches that were counted in a detection before them"],
  ["detections", "rule-engine", "detections", "matches that went out as detections"],
  ["detections_sent", "uplink", "detections_sent", "detections the portal has stored"],
];

export interface Statistics {
  /** The kernel programs' account since the ring began; `balances`: seen = filtered + folded + submitted + dropped. */
  kernel: Record<string, unknown>;
  types: Record<string, unknown>[];
  /** Since each stage's start; undefined stages count 0. */
  totals: Record<string, number>;
  /** Batches under way, by stream. */
  queued: Record<string, number>;
}

/** Makes the account of what the stages say. */

export function statisticsOf(state: SensorState): Statistics {
  const rows = ledgerOf(state);
  const counter = (stage: string, name: string) =>
    Number(state.statuses.find((one) => one.stage === stage)?.counters[name] ?? 0n);
  return {
    kernel: ledgerJson(ledgerTotal(rows)),
    types: rows.map(ledgerJson),
    totals: Object.fromEntries(TOTALS.map(([name, stage, key]) => [name, counter(stage, key)])),
    queued: Object.fromEntries(state.queues.map(({ stream, messages }) => [stream, messages])),
  };
}

export function showStatistics(output: Output, state: SensorState): void {
  const { totals, queued } = statisticsOf(state);
  for (const line of ledgerLines(ledgerOf(state))) output.line(line);
  output.line();
  const rows = TOTALS.map(([name, stage, , doc]) => [name, count(totals[name] ?? 0), stage, doc]);
  for (const line of table([["TOTAL", "COUNT", "STAGE", "SINCE THE STAGE'S START"], ...rows], [1])) output.line(line);
  for (const [stream, messages] of Object.entries(queued)) output.line(`${count(messages)} batches wait in ${stream}`);
}

function ledgerOf({ statuses }: SensorState): LedgerRow[] {
  return ledgerRows(statuses.flatMap(({ ledger }) => ledger));
}
