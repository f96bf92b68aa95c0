// One line on how a stage is, for `systemctl status`: what it does, how fast, how far behind, on what content.
import type { CounterName, FactName } from "./metrics.ts";
import type { Stage } from "./stage.ts";
import type { StageName } from "./streams.ts";

interface Row {
  /** What is counted to tell how fast it is, and what a person calls that. */
  rate?: [counter: CounterName, unit: string];
  /** What waits for it now. */
  waiting?: readonly CounterName[];
  /** What it goes by, and when that was last looked at. */
  content?: readonly FactName[];
}

/** The enricher says rate and lag in its summary. */
const ROWS: Readonly<Partial<Record<StageName, Row>>> = {
  bus: { waiting: ["RAW_pending", "EVENTS_pending", "FACTS_pending", "DETECTIONS_pending"] },
  collector: { rate: ["events_published", "events/s"], waiting: ["batches_pending"] },
  "rule-engine": { rate: ["events", "events/s"], content: ["content_bundle"] },
  aggregator: { rate: ["facts", "facts/s"] },
  uplink: {
    rate: ["detections_sent", "detections/s"],
    waiting: ["outbox_detections"],
    content: ["content_bundle", "content_checked_at"],
  },
};
const MS_PER_S = 1_000;

type Told = Pick<Stage, "name" | "summary" | "counters" | "facts" | "health" | "beforeStatus">;

export class StatusLine {
  readonly #stage: Told;
  readonly #clock: () => number;
  #before: { at: number; count: number };

  /** `clock` gives milliseconds that only grow. */
  constructor(stage: Told, clock: () => number = () => performance.now()) {
    this.#stage = stage;
    this.#clock = clock;
    this.#before = { at: clock(), count: 0 };
  }

  /** The rate is since this was asked last. */
  describe(): string {
    const stage = this.#stage;
    stage.beforeStatus();
    const { rate, waiting, content } = ROWS[stage.name] ?? {};
    const parts = [stage.summary];
    if (rate) parts.push(`${this.#perSecond(rate[0]).toLocaleString("en")} ${rate[1]}`);
    const waits = (waiting ?? []).filter((counter) => stage.counters.get(counter) > 0);
    if (waiting) parts.push(waits.map((one) => `${one} ${stage.counters.get(one)}`).join(", ") || "nothing waits");
    const facts = content?.flatMap((fact) => stage.facts.get(fact) ?? []) ?? [];
    if (facts.length > 0) parts.push(`content ${facts.join(" at ")}`);
    const [issue] = stage.health.issues;
    if (issue) parts.push(`${issue.code}: ${issue.message}`);
    return parts.join("; ");
  }

  #perSecond(counter: CounterName): number {
    const now = { at: this.#clock(), count: this.#stage.counters.get(counter) };
    const { at, count } = this.#before;
    this.#before = now;
    return Math.round(((now.count - count) * MS_PER_S) / Math.max(now.at - at, 1));
  }
}
