// Sensors, their health issues and outages: tables and lines for a person, objects for a program.
import { type Timestamp, timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  HealthIssueSchema,
  HealthResolutionSchema,
  HealthSeverity,
  type Outage,
  OutageSchema,
  SensorConditionSchema,
  type SensorState,
  type StoredHealthIssue,
  VisibilitySchema,
} from "@nightjar/proto";
import type { Output } from "../output.ts";
import { spanText } from "../time.ts";
import { enumWord, type Plain, toPlain } from "./plain.ts";
import { table } from "./table.ts";
import { count, printable } from "./text.ts";

type Row = { [name: string]: Plain };

/** How the uplink's counters of what it gave up are said. */
const GIVEN_UP: Readonly<Record<string, string>> = {
  detections_stale: "detections deleted as stale",
  detections_evicted: "detections evicted",
  detections_refused: "detections refused",
  health_issues_dropped: "health issues given up",
};

export function sensorTable(sensors: readonly SensorState[]): string[] {
  const rows = sensors.map(({ sensor, condition, visibility, lastSeen }) => [
    enumWord(SensorConditionSchema, condition),
    printable(sensor?.hostName ?? ""),
    enumWord(VisibilitySchema, visibility),
    text(lastSeen),
    printable(sensor?.version ?? ""),
    sensor?.id ?? "",
  ]);
  return table([["CONDITION", "HOST", "SEES", "LAST HEARD", "VERSION", "SENSOR"], ...rows]);
}

export function sensorJson({ sensor, condition, visibility, lastSeen, firstSeen }: SensorState): Row {
  return {
    type: "sensor",
    sensor_id: sensor?.id ?? "",
    host: sensor?.hostName ?? "",
    condition: enumWord(SensorConditionSchema, condition),
    visibility: enumWord(VisibilitySchema, visibility),
    first_seen: text(firstSeen),
    last_seen: text(lastSeen),
    version: sensor?.version ?? "",
  };
}

/** Severity, code, where, since when and for how long, how often, why. */
export function issueLine(output: Output, { issue, hostName }: StoredHealthIssue, nowMs: number): string {
  if (!issue) return "";
  const isError = issue.severity === HealthSeverity.ERROR;
  const isOpen = issue.resolvedAt === undefined;
  const style = isOpen ? (isError ? "red" : "yellow") : "dim";
  const word = output.paint(style, (isError ? "ERROR" : "WARNING").padEnd("WARNING".length));
  const times = issue.count > 1n ? `, ${count(issue.count)} times` : "";
  const until = issue.resolvedAt
    ? ` until ${text(issue.resolvedAt)} (${enumWord(HealthResolutionSchema, issue.resolution)})`
    : "";
  const span = spanText((issue.resolvedAt ? timestampMs(issue.resolvedAt) : nowMs) - msOf(issue.since));
  const place = `${printable(hostName)} ${printable(issue.stage)}`;
  const life = `since ${text(issue.since)}${until}, ${span}${times}`;
  return `${word} ${issue.code}  ${place}  ${output.paint("dim", life)}  ${printable(issue.message)}`;
}

export function issueJson({ issue, sensorId, hostName }: StoredHealthIssue): Row {
  if (!issue) return {};
  return {
    type: "issue",
    state: issue.resolvedAt ? "resolved" : "open",
    host: hostName,
    sensor_id: sensorId,
    ...toPlain(HealthIssueSchema, issue),
    severity: issue.severity === HealthSeverity.ERROR ? "error" : "warning",
  };
}

/** When a sensor was unheard, and below that what it cost. */
export function outageLines(output: Output, outage: Outage, nowMs: number): string[] {
  const { hostName, from, until, wasStopped, report } = outage;
  const what = wasStopped ? "stopped, unheard" : "unheard";
  const span = spanText((until ? timestampMs(until) : nowMs) - msOf(from));
  const times = `from ${text(from)} until ${until ? text(until) : "now"}`;
  const lines = [`${output.paint(until ? "yellow" : "red", what)} ${times}, ${span}  ${printable(hostName)}`];
  if (!report) return lines;
  if (report.reason) lines.push(`    because: ${printable(report.reason)}`);
  const givenUp = Object.entries(report.givenUp).map(([name, number]) => `${count(number)} ${GIVEN_UP[name] ?? name}`);
  lines.push(`    ${[`${count(report.detectionsKept)} detections kept`, ...givenUp].join(", ")}`);
  const drops = Object.entries(report.eventsDropped).map(([reason, number]) => `${count(number)} ${reason}`);
  lines.push(`    events dropped: ${drops.length === 0 ? "none" : drops.join(", ")}`);
  for (const spell of report.blind) lines.push(`    blind from ${text(spell.from)} until ${text(spell.until)}`);
  return lines;
}

export function outageJson(outage: Outage): Row {
  return { type: "outage", is_over: outage.until !== undefined, ...toPlain(OutageSchema, outage) };
}

function text(time: Timestamp | undefined): string {
  return time ? timestampDate(time).toISOString() : "-";
}

function msOf(time: Timestamp | undefined): number {
  return time ? timestampMs(time) : 0;
}
