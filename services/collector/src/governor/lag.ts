// How far the rules are behind the kernel, as the stages tell it, and how long those have not moved on.
import type { StageStatus } from "@nightjar/proto";

const MS_PER_S = 1_000;

/** A reader of a stream between the kernel and the rules: how long something has waited for it while it did nothing. */
class Reader {
  readonly #stream: string;
  readonly #stage: string;
  #batches: bigint | undefined;
  #movedAtMs: number | undefined;

  constructor(stream: string, stage: string) {
    this.#stream = stream;
    this.#stage = stage;
  }

  /** Milliseconds; undefined where nothing waits. */
  standsStillMs(statuses: readonly StageStatus[], nowMs: number): number | undefined {
    const counters = (stage: string) => statuses.find((one) => one.stage === stage)?.counters;
    const bus = counters("bus");
    const batches = counters(this.#stage)?.batches;
    // Where nobody tells what waits, something may.
    const isWaiting = !bus || ["pending", "unacknowledged"].some((what) => (bus[`${this.#stream}_${what}`] ?? 0n) > 0n);
    const hasMoved = batches !== undefined && batches !== this.#batches;
    if (!isWaiting || hasMoved || this.#movedAtMs === undefined) {
      this.#movedAtMs = nowMs;
      this.#batches = batches;
    }
    return isWaiting ? nowMs - this.#movedAtMs : undefined;
  }
}

export class LagMeter {
  readonly #enricher = new Reader("RAW", "enricher");
  readonly #rules = new Reader("EVENTS", "rule-engine");

  /** Seconds; 0 where no stage has said anything: the ring tells then. `nowMs` is of a clock that only goes forward. */
  look(statuses: readonly StageStatus[], nowMs: number): number {
    if (statuses.length === 0) return 0;
    const enricherMs = this.#enricher.standsStillMs(statuses, nowMs);
    const rulesMs = this.#rules.standsStillMs(statuses, nowMs);
    const rules = statuses.find(({ stage }) => stage === "rule-engine");
    // What was evaluated last says how old it was; where nothing waits that is no lag any more.
    const lastMs = rulesMs === undefined && enricherMs === undefined ? 0 : Number(rules?.counters.lag_ms ?? 0n);
    return (lastMs + Math.max(enricherMs ?? 0, rulesMs ?? 0)) / MS_PER_S;
  }
}
