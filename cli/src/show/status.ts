// The state of a sensor as a table for a person and as one object for a program.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type HealthIssue, HealthSeverity, type StageStatus, StageStatusSchema } from "@nightjar/proto";
import type { SensorState } from "../connect/sensor-state.ts";
import type { Output } from "../output.ts";
import { WORK_COUNTERS } from "./figures.ts";
import { cloudLine, hostLine } from "./host.ts";
import { ledgerJson, ledgerLines, ledgerRows } from "./ledger.ts";
import { outputLines } from "./outputs.ts";
import { toPlain } from "./plain.ts";
import { table } from "./table.ts";
import { count, printable } from "./text.ts";

const HEADER = ["STAGE", "VERSION", "PID", "READY", "RESTARTS", "EVENTS", "LAG", "HEALTH", "DOES"];
const NUMBERS = [2, 4, 5, 6];

export function showStatus(output: Output, state: SensorState): void {
  for (const { host, cloud } of state.statuses) {
    if (host) output.line(hostLine(host));
    if (cloud) output.line(cloudLine(cloud));
  }
  const rows = state.statuses.map((status) => stageRow(status, state));
  for (const name of state.missing) {
    if (!state.statuses.some(({ stage }) => stage === name)) rows.push(silentRow(name, state));
  }
  if (state.portalAnswers) rows.push(portalRow(state));
  for (const line of table([HEADER, ...rows], NUMBERS)) output.line(line);
  const issues = state.statuses.flatMap(({ healthIssues }) => healthIssues);
  for (const issue of issues) output.line(issueLine(output, issue));
  for (const line of outputLines(state.statuses.flatMap(({ outputs }) => outputs))) output.line(line);
  const ledger = ledgerRows(state.statuses.flatMap((status) => status.ledger));
  if (ledger.length === 0) return;
  output.line();
  for (const line of ledgerLines(ledger)) output.line(line);
}

export function statusJson(state: SensorState): Record<string, unknown> {
  return {
    ready: state.missing.length === 0,
    missing: state.missing,
    stages: state.statuses.map((status) => ({
      ...toPlain(StageStatusSchema, { ...status, ledger: [] } as StageStatus),
      ready: status.ready,
      restarts: restartsOf(status.stage, state),
      lag_messages: lagOf(status.stage, state) ?? 0,
    })),
    portal: { address: state.portal ?? "", ready: state.portalAnswers, restarts: restartsOf("portal", state) },
    supervisor: state.supervisor ? { pid: state.supervisor.pid, started_at: state.supervisor.started_at } : undefined,
    queues: state.queues,
    ledger: ledgerRows(state.statuses.flatMap(({ ledger }) => ledger)).map(ledgerJson),
  };
}

function stageRow(status: StageStatus, state: SensorState): string[] {
  const { stage, version, pid, ready, counters, healthIssues, summary } = status;
  const work = counters[WORK_COUNTERS[stage] ?? ""];
  const health = healthIssues.length === 0 ? "ok" : healthIssues.map(({ code }) => code).join(",");
  const lag = lagOf(stage, state);
  return [
    stage,
    version,
    String(pid),
    ready ? "yes" : "no",
    String(restartsOf(stage, state)),
    work === undefined ? "-" : count(work),
    lag === undefined ? "-" : count(lag),
    health,
    printable(summary),
  ];
}

function silentRow(name: string, state: SensorState): string[] {
  const pid = state.supervisor?.stages[name]?.pid;
  const does = pid === undefined ? "is not running" : "does not answer";
  return [name, "-", String(pid ?? "-"), "no", String(restartsOf(name, state)), "-", "-", "-", does];
}

function portalRow(state: SensorState): string[] {
  const pid = state.supervisor?.stages.portal?.pid;
  return [
    "portal",
    "-",
    String(pid ?? "-"),
    "yes",
    String(restartsOf("portal", state)),
    "-",
    "-",
    "ok",
    state.portal ?? "",
  ];
}

function restartsOf(name: string, { supervisor }: SensorState): number {
  return supervisor?.stages[name]?.restarts ?? 0;
}

/** Messages that wait for the stage. */
function lagOf(name: string, { queues }: SensorState): number | undefined {
  const own = queues.filter(({ reader }) => reader === name);
  return own.length === 0 ? undefined : own.reduce((sum, { messages }) => sum + messages, 0);
}

function issueLine(output: Output, issue: HealthIssue): string {
  const severe = issue.severity === HealthSeverity.ERROR;
  const word = output.paint(severe ? "red" : "yellow", severe ? "ERROR" : "WARNING");
  const since = issue.since ? timestampDate(issue.since).toISOString() : "-";
  const place = `${issue.stage}, since ${since}, ${count(issue.count)} times`;
  return `${word} ${issue.code} (${place}): ${printable(issue.message)}`;
}
