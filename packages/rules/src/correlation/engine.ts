// Correlates: takes the matches of single events in the order of events, and says which correlations fire on them.
import { hasNot } from "./condition.ts";
import type { Correlation } from "./correlation.ts";
import { type Group, Groups } from "./groups.ts";
import { isBefore, type RuleMatch } from "./match.ts";
import type { WindowFiring } from "./window.ts";

/** Within this, matches may come in any order and the outcome is the same. */
export const REORDER_US = 1_000_000;
/** Matches that wait for older ones; beyond this the oldest wait no longer. */
const WAITING_MAX = 100_000;

/** A correlation that fires. */
export interface Firing {
  correlation: Correlation;
  /** What its matches have in common, by the names of the grouping. */
  group: Readonly<Record<string, string>>;
  /** With which match, and what it is made of. */
  fired: WindowFiring;
  /**
   * The first match of the firing that began this story. While a group goes on firing, each further match repeats the
   * same story; it is a new one once the group has been silent for a timespan, or a timespan after the story began.
   */
  story: RuleMatch;
  /** Whether it only repeats its story; those that do not are the alerts. */
  repeats: boolean;
}

/** How often a limit was met, since the engine began. */
export interface LimitHits {
  /** Groups given up because a correlation had too many. */
  groups: number;
  /** Matches given up because a group, or the engine, had too many. */
  matches: number;
}

/** A correlation at work. */
interface Running {
  correlation: Correlation;
  groups: Groups;
  /** Whether a further match can make its condition false, so that it has to wait for those that come late. */
  waits: boolean;
}

/** Where matches of a name go. */
interface Use {
  running: Running;
  reference: number;
}

interface Waiting {
  match: RuleMatch;
  use: Use;
}

/**
 * Pure: what it gives follows from what it took, in that order. Most conditions, once true, stay true when a match
 * turns up late, so they fire at once. Those that a further match can make false again (less than, equal, an average,
 * "not") are judged when the watermark is REORDER_US beyond a match.
 */
export class CorrelationEngine {
  readonly #reorderUs: number;
  readonly hits: LimitHits = { groups: 0, matches: 0 };
  #running: Running[] = [];
  #uses = new Map<string, Use[]>();
  /** By time. */
  #waiting: Waiting[] = [];

  /** `reorderUs` is for callers whose matches come in the order of time: 0. */
  constructor(correlations: readonly Correlation[], reorderUs = REORDER_US) {
    this.#reorderUs = reorderUs;
    this.replace(correlations);
  }

  /** Other correlations take the place of those before; what stayed the same keeps its windows. */
  replace(correlations: readonly Correlation[]): void {
    const before = new Map(this.#running.map((one) => [JSON.stringify(one.correlation), one]));
    this.#running = correlations.map(
      (correlation) =>
        before.get(JSON.stringify(correlation)) ?? {
          correlation,
          groups: new Groups(correlation, this.hits),
          waits: waits(correlation),
        },
    );
    this.#uses = new Map();
    for (const running of this.#running) {
      for (const [reference, { name }] of running.correlation.references.entries()) {
        const uses = this.#uses.get(name) ?? [];
        uses.push({ running, reference });
        this.#uses.set(name, uses);
      }
    }
    this.#waiting = this.#waiting.filter(({ use }) => this.#running.includes(use.running));
  }

  /** How many groups there are, and matches in them. */
  get size(): { groups: number; matches: number } {
    const sum = { groups: 0, matches: 0 };
    for (const { groups } of this.#running) {
      sum.groups += groups.count;
      sum.matches += groups.entries;
    }
    return sum;
  }

  /** Whether any correlation is about matches of this name. */
  concerns(name: string): boolean {
    return this.#uses.has(name);
  }

  /**
   * Takes matches in the order of events; all that happened up to `watermarkUs` have come, but for some that are late.
   * Gives what fires, in order.
   */
  take(matches: readonly RuleMatch[], watermarkUs: number): Firing[] {
    const firings: Firing[] = [];
    for (const match of matches) this.#match(match, firings);
    this.#release(watermarkUs - this.#reorderUs, firings);
    for (const { groups } of this.#running) groups.expire(watermarkUs);
    return firings;
  }

  #match(match: RuleMatch, firings: Firing[]): void {
    const uses = this.#uses.get(match.rule);
    if (uses === undefined) return;
    for (const use of uses) {
      if (use.running.waits) this.#wait({ match, use }, firings);
      else this.#enter(use, match, firings);
    }
  }

  #wait(waiting: Waiting, firings: Firing[]): void {
    let at = this.#waiting.length;
    while (at > 0 && isBefore(waiting.match, (this.#waiting[at - 1] as Waiting).match)) at--;
    this.#waiting.splice(at, 0, waiting);
    if (this.#waiting.length > WAITING_MAX) {
      const { use, match } = this.#waiting.shift() as Waiting;
      this.#enter(use, match, firings);
    }
  }

  /** Those that happened up to then wait no longer. A firing may let others wait, which may be due at once. */
  #release(untilUs: number, firings: Firing[]): void {
    for (;;) {
      let due = 0;
      while (due < this.#waiting.length && (this.#waiting[due] as Waiting).match.timeUs <= untilUs) due++;
      if (due === 0) return;
      for (const { use, match } of this.#waiting.splice(0, due)) this.#enter(use, match, firings);
    }
  }

  #enter({ running, reference }: Use, match: RuleMatch, firings: Firing[]): void {
    for (const { group, fired } of running.groups.enter(match, reference)) {
      const firing = firingOf(running.correlation, group, fired);
      firings.push(firing);
      // Of correlations over correlations there are no circles: the loader refuses them.
      if (this.#uses.has(running.correlation.name)) this.#match(asMatch(firing), firings);
    }
  }
}

/** The firing as another correlation sees it: a match at the moment of the match that completed it. */
function asMatch({ correlation, group, fired: { last, matches } }: Firing): RuleMatch {
  return { ...last, rule: correlation.name, fields: { ...last.fields, ...group }, parts: matches };
}

function firingOf(correlation: Correlation, group: Group, fired: WindowFiring): Firing {
  const { timeUs } = fired.last;
  const { timespanUs } = correlation;
  const going = timeUs - group.firedUs <= timespanUs && timeUs - group.storyUs <= timespanUs;
  const repeats = group.story !== undefined && going;
  const story = repeats && group.story ? group.story : fired.first;
  if (!repeats) {
    group.story = story;
    group.storyUs = timeUs;
  }
  group.firedUs = Math.max(group.firedUs, timeUs);
  return { correlation, group: group.values, fired, story, repeats };
}

function waits({ type, bounds, expression }: Correlation): boolean {
  const grows = type === "event_count" || type === "value_count" || type === "value_sum" || type.startsWith("temporal");
  const upwards = bounds.every(({ operator }) => operator === "gt" || operator === "gte");
  return !grows || !upwards || (expression !== undefined && hasNot(expression));
}
