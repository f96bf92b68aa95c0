// What the stages say of themselves, as Prometheus reads it (its text format 0.0.4); docs/metrics.md lists the names.
import { DropReasonSchema, eventTypeName, HealthSeverity, type StageStatus, wordsOf } from "@nightjar/proto";
import { counterDocs, stageNames, streams } from "@nightjar/stage";
import { Counter, Gauge, Registry } from "prom-client";

const MS_PER_S = 1_000;
const PREFIX = "nightjar";
/** Rules are told by name, at most so many: those that matched most. */
const RULES_MAX = 100;

type Labels = Readonly<Record<string, string>>;
type Kind = "counter" | "gauge";

/** A registry of one answer: its numbers are the stages', not this process's. */
class Answer {
  readonly #registry = new Registry();

  add(kind: Kind, name: string, help: string, labels: Labels, value: number): void {
    const full = `${PREFIX}_${name}`;
    const known = this.#registry.getSingleMetric(full);
    const options = { name: full, help, labelNames: Object.keys(labels), registers: [this.#registry] };
    if (kind === "counter") ((known as Counter | undefined) ?? new Counter(options)).inc(labels, value);
    else ((known as Gauge | undefined) ?? new Gauge(options)).set(labels, value);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** The answer to one question of Prometheus. A stage that did not answer is down. */
export function exposition(statuses: readonly StageStatus[]): Promise<string> {
  const answer = new Answer();
  for (const stage of stageNames) {
    const isUp = statuses.some((status) => status.stage === stage);
    answer.add("gauge", "up", "1 while the stage answers.", { stage }, isUp ? 1 : 0);
  }
  for (const status of statuses) {
    addProcess(answer, status);
    addCounters(answer, status);
    addLedger(answer, status);
    addIssues(answer, status);
    addRules(answer, status);
  }
  return answer.text();
}

function addProcess(answer: Answer, { stage, ready, version, resources }: StageStatus): void {
  answer.add("gauge", "ready", "1 while the stage does its work.", { stage }, ready ? 1 : 0);
  answer.add("gauge", "version_info", "1; the version of the stage is the label.", { stage, version }, 1);
  if (!resources) return;
  const cpuS = Number(resources.cpuMs) / MS_PER_S;
  answer.add("counter", "cpu_seconds_total", "Processor time the stage's process has taken.", { stage }, cpuS);
  const memory = Number(resources.memoryBytes);
  answer.add("gauge", "resident_memory_bytes", "Resident memory of the stage's process.", { stage }, memory);
}

/** `RAW_pending` and its like become one metric with the stream as a label; what says "now" is a gauge. */
function addCounters(answer: Answer, { stage, counters }: StageStatus): void {
  const docs: Readonly<Record<string, string>> = {
    ...counterDocs["every reader of a stream"],
    ...(counterDocs as Readonly<Record<string, Readonly<Record<string, string>>>>)[stage],
  };
  const prefix = stage.replaceAll("-", "_");
  for (const [name, value] of Object.entries(counters)) {
    const stream = streams.find((one) => name.startsWith(`${one.name}_`))?.name;
    const doc = docs[stream ? name.replace(stream, "<STREAM>") : name] ?? name;
    const kind = isNow(doc) ? "gauge" : "counter";
    const plain = stream ? `stream_${name.slice(stream.length + 1)}` : name;
    const full = `${prefix}_${plain}${kind === "counter" ? "_total" : ""}`;
    answer.add(kind, full, doc.replaceAll("<STREAM>", "The stream"), stream ? { stream } : {}, Number(value));
  }
}

function isNow(doc: string): boolean {
  return /\bnow\b|^The size|^How old/.test(doc);
}

function addLedger(answer: Answer, { ledger }: StageStatus): void {
  const reasons = wordsOf(DropReasonSchema);
  const help = "What became of the events the kernel saw: submitted, filtered, folded, governed.";
  const total = "Events the kernel saw: the sum of what became of them, and of what was dropped.";
  const dropped = "Events that were lost in the kernel, by reason.";
  for (const { type, seen, filtered, folded, governed, submitted, drops } of ledger) {
    const label = { type: eventTypeName(type) };
    answer.add("counter", "events_seen_total", total, label, Number(seen));
    for (const [fate, count] of Object.entries({ filtered, folded, governed, submitted }))
      answer.add("counter", "events_total", help, { ...label, fate }, Number(count));
    for (const { reason, count } of drops)
      answer.add(
        "counter",
        "events_dropped_total",
        dropped,
        { ...label, reason: reasons.get(reason) ?? String(reason) },
        Number(count),
      );
  }
}

function addIssues(answer: Answer, { stage, healthIssues }: StageStatus): void {
  const help = "1 while the health issue is open.";
  for (const { code, severity } of healthIssues) {
    const word = severity === HealthSeverity.ERROR ? "error" : "warning";
    answer.add("gauge", "health_issue", help, { stage, code, severity: word }, 1);
  }
}

function addRules(answer: Answer, { rules }: StageStatus): void {
  for (const { name: rule, matched, detected, timeNs } of rules.slice(0, RULES_MAX)) {
    answer.add("counter", "rule_matched_total", "Events of which the rule was true.", { rule }, Number(matched));
    answer.add("counter", "rule_detected_total", "Matches that went out as detections.", { rule }, Number(detected));
    const seconds = Number(timeNs) / 1e9;
    answer.add("counter", "rule_seconds_total", "How long its condition took, from a sample.", { rule }, seconds);
  }
}
