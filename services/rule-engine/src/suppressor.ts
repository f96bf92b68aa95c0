// What a thread of the pool keeps an account of: matches that suppressions hide, and what the rules cost.
import type { BatchReader } from "@nightjar/events";
import { compileSuppressions, type Engine, EventView, type Match, type Suppression } from "@nightjar/rules";

/** Costs are told at most so often: of many rules they are a long list. */
const COSTS_INTERVAL_MS = 1_000;
const NS_PER_MS = 1_000_000;

/** So many matches of a rule that a suppression hid. */
export interface Hidden {
  suppression: string;
  rule: string;
  count: number;
}

/** What a rule has cost: `timedMs` for `timed` of the `evaluated` events. */
export interface Cost {
  rule: string;
  evaluated: number;
  timed: number;
  timedMs: number;
}

export class Suppressor {
  readonly #suppressedBy: ReturnType<typeof compileSuppressions> | undefined;
  readonly #view = new EventView();

  constructor(suppressions: readonly Suppression[]) {
    this.#suppressedBy = suppressions.length === 0 ? undefined : compileSuppressions(suppressions);
  }

  /** Takes out what is hidden. A match is hidden by one suppression, the first that applies. */
  split(batch: BatchReader, matches: readonly Match[]): { shown: readonly Match[]; hidden: Hidden[] } {
    const suppressedBy = this.#suppressedBy;
    if (!suppressedBy || matches.length === 0) return { shown: matches, hidden: [] };
    this.#view.open(batch);
    const counts = new Map<string, Hidden>();
    const shown = matches.filter(({ rule, eventIndex }) => {
      this.#view.select(eventIndex);
      const unixNs = batch.bootTimeUnixNs + BigInt(batch.eventTimeNs(eventIndex));
      const suppression = suppressedBy(rule, this.#view, Number(unixNs) / NS_PER_MS);
      if (!suppression) return true;
      const key = JSON.stringify([suppression.name, rule.name]);
      const hidden = counts.get(key) ?? { suppression: suppression.name, rule: rule.name, count: 0 };
      hidden.count++;
      counts.set(key, hidden);
      return false;
    });
    return { shown, hidden: [...counts.values()] };
  }
}

/** What the rules have cost since it was told last. */
export class CostReport {
  readonly #engine: Engine;
  #toldAt = performance.now();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Empty where it was told a moment ago. */
  now(): Cost[] {
    const now = performance.now();
    if (now - this.#toldAt < COSTS_INTERVAL_MS) return [];
    this.#toldAt = now;
    return this.#engine.takeCosts().map(({ rule, ...cost }) => ({ rule: rule.name, ...cost }));
  }
}
