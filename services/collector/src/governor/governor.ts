// The governor: looks at what the sensor takes once a second, and gives up sight or takes it back, a step at a time.
import type { Governed } from "@nightjar/native-probe";
import { eventTypeName, type StageStatus } from "@nightjar/proto";
import type { Holder, Stage } from "@nightjar/stage";
import { judge, type Taken } from "./budget.ts";
import { Ladder } from "./ladder.ts";
import { LagMeter } from "./lag.ts";
import { givenUp, type Step, steps } from "./steps.ts";
import { UseMeter } from "./use.ts";

const MS_PER_S = 1_000;
const RULES = "rule-engine";
/** Of the types whose events were given up, so many are named. */
const TYPES_TOLD_MAX = 5;

/** What the governor asks and tells; tests stand in for it. */
export interface World {
  stage: Pick<Stage, "health" | "facts" | "counters" | "log" | "settings">;
  /** The probe's counters of what was given up, by event type. */
  governed: () => ReadonlyMap<number, bigint>;
  setGoverned: (governed: Governed) => void;
  ringPercent: () => number;
  diskPercent: () => number;
  /** Milliseconds of a clock that only goes forward. */
  nowMs: () => number;
  use?: UseMeter;
}

interface InForce {
  step: Step;
  sinceMs: number;
  reason: string;
  /** By type, when it began. */
  before: ReadonlyMap<number, bigint>;
}

export class Governor {
  readonly #world: World;
  readonly #ladder: Ladder;
  readonly #use: UseMeter;
  readonly #lag = new LagMeter();
  #statuses: readonly StageStatus[] = [];
  #holders: readonly Holder[] = [];
  #pids: readonly number[] = [process.pid];
  readonly #inForce: InForce[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#use = world.use ?? new UseMeter();
    const { over_s, back_s } = world.stage.settings.governor;
    this.#ladder = new Ladder({ steps: steps.length, overMs: over_s * MS_PER_S, backMs: back_s * MS_PER_S });
  }

  /** What the stages said last; those that say nothing any more are looked at as long as they live. */
  hear(statuses: readonly StageStatus[]): void {
    this.#statuses = statuses;
    const told = statuses.flatMap(({ pid, childPids }) => [pid, ...childPids]);
    if (told.length > 0) this.#pids = [...new Set([process.pid, ...told])];
  }

  /** Who wants what: a step may spare what rules ask for. */
  setHolders(holders: readonly Holder[]): void {
    this.#holders = holders;
    if (this.#inForce.length > 0) this.#apply();
  }

  /** To be called about once a second. */
  look(): void {
    const { stage, nowMs, ringPercent, diskPercent } = this.#world;
    const now = nowMs();
    const taken: Taken = {
      ...this.#use.look(this.#pids, now),
      lagS: this.#lag.look(this.#statuses, now),
      ringPercent: ringPercent(),
      diskPercent: diskPercent(),
    };
    const verdict = judge(taken, stage.settings.governor);
    this.#ladder.look(now, verdict);
    this.#follow(now, verdict.reason);
    this.#tell(taken);
  }

  /** Brings what is in force to where the ladder is. */
  #follow(nowMs: number, reason: string): void {
    const { step } = this.#ladder;
    if (step === this.#inForce.length) return;
    while (this.#inForce.length < step) this.#begin(nowMs, reason);
    while (this.#inForce.length > step) this.#end(nowMs);
    this.#apply();
  }

  #begin(nowMs: number, reason: string): void {
    const step = steps[this.#inForce.length] as Step;
    this.#inForce.push({ step, sinceMs: nowMs, reason, before: this.#world.governed() });
    this.#world.stage.health.raise(step.code, `${step.what}: ${reason}`);
  }

  #end(nowMs: number): void {
    const ended = this.#inForce.pop();
    if (!ended) return;
    const { step, sinceMs, reason, before } = ended;
    const { health } = this.#world.stage;
    const seconds = Math.round((nowMs - sinceMs) / MS_PER_S);
    health.raise(step.code, `for ${seconds} s ${step.what}: ${reason}; not told: ${this.#unseen(step, before)}`);
    health.resolve(step.code);
  }

  /** How many events of the step's types were given up since then, as `1,200 open, 3 connect`. */
  #unseen(step: Step, before: ReadonlyMap<number, bigint>): string {
    const now = this.#world.governed();
    const types = [...new Set(step.gives(() => false).map(([type]) => type))];
    const counts = types
      .map((type) => ({ type, count: (now.get(type) ?? 0n) - (before.get(type) ?? 0n) }))
      .filter(({ count }) => count > 0n)
      .sort((a, b) => Number(b.count - a.count));
    const told = counts.slice(0, TYPES_TOLD_MAX).map(({ type, count }) => `${count} ${eventTypeName(type)}`);
    const rest = counts.slice(TYPES_TOLD_MAX).reduce((sum, { count }) => sum + count, 0n);
    if (rest > 0n) told.push(`${rest} others`);
    return told.join(", ") || "nothing";
  }

  #apply(): void {
    const rules = this.#holders.find(({ name }) => name === RULES);
    const wanted = new Set(rules?.interest.eventTypes);
    this.#world.setGoverned(givenUp(this.#inForce.length, (type) => !rules || wanted.has(type)));
  }

  #tell({ cpuPercent, memoryBytes, lagS }: Taken): void {
    const { counters, facts } = this.#world.stage;
    counters.set("governor_step", this.#inForce.length);
    counters.set("sensor_cpu_permille", Math.max(0, Math.round(cpuPercent * 10)));
    counters.set("sensor_memory_bytes", memoryBytes);
    counters.set("sensor_lag_ms", Math.round(lagS * MS_PER_S));
    facts.set("governor", this.#inForce.map(({ step }) => step.name).join(", ") || "everything is told");
  }
}
