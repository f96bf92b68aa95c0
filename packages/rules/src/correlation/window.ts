// One group's sliding window: the matches in it by time, what they amount to, and when that makes the correlation fire.
import { type Aggregate, aggregateOf } from "./aggregate.ts";
import { Chain, entriesOf, type Link } from "./chain.ts";
import { holds, type RuleExpression } from "./condition.ts";
import type { Bound, BoundOperator, Correlation } from "./correlation.ts";
import { isBefore, type RuleMatch } from "./match.ts";

/** Matches of one group; beyond this the oldest leave, counted. A condition that needs more is refused. */
export const ENTRIES_PER_GROUP_MAX = 10_000;
/** How much later than a younger one a match may come and still be counted where it belongs. */
export const LATE_US_MAX = 5_000_000;
/** Entries that have left the window are given up together, when they are so many and half of all. */
const COMPACT_ENTRIES = 16;
/** What a group that is full gives up at once. */
const DROPPED_ENTRIES = 256;
/** Matches that a firing names; between the first and the last so many, the others are only counted. */
export const NAMED_MATCHES_MAX = 32;

/** A match in a window. */
export interface Entry {
  match: RuleMatch;
  /** Which of the correlation's references it is of. */
  reference: number;
  /** What is counted or worked out of it; undefined where the type looks at no field. */
  value: string | number | undefined;
}

/** The condition holds with this match as the last one in the window. What it is made of is worked out when asked. */
export class WindowFiring {
  readonly last: RuleMatch;
  /** What the condition was about: a count, or the value worked out. */
  readonly value: number;
  readonly #references: number;
  readonly #link: Link | undefined;
  readonly #entries: readonly Entry[];
  readonly #begin: number;
  readonly #end: number;

  /** `entries` from `begin` on are in the window now; `link` ends the chain of an ordered one. */
  constructor(
    last: RuleMatch,
    value: number,
    references: number,
    entries: readonly Entry[],
    begin: number,
    link?: Link,
  ) {
    this.last = last;
    this.value = value;
    this.#references = references;
    this.#entries = entries;
    this.#begin = begin;
    this.#end = entries.length;
    this.#link = link;
  }

  get first(): RuleMatch {
    let link = this.#link;
    if (!link) return (this.#entries[this.#begin] as Entry).match;
    while (link.before) link = link.before;
    return link.entry.match;
  }

  /** The matches it is made of in order, at most NAMED_MATCHES_MAX. */
  get matches(): readonly RuleMatch[] {
    return named(this.#all(), this.#references).map(({ match }) => match);
  }

  /** How many others there are. */
  get omitted(): number {
    return Math.max(0, this.#all().length - NAMED_MATCHES_MAX);
  }

  #all(): readonly Entry[] {
    return this.#link ? entriesOf(this.#link) : this.#entries.slice(this.#begin, this.#end);
  }
}

const BOUNDS: Readonly<Record<BoundOperator, (value: number, bound: number) => boolean>> = {
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
  eq: (value, bound) => value === bound,
  neq: (value, bound) => value !== bound,
};

/**
 * The window of a match reaches from `timespan` before it to it, both included. It fires at each match with which the
 * condition holds; of an ordered one, at each match of the last reference that ends a chain within the timespan.
 *
 * A match that comes later than a younger one is put where it belongs, and every window that it is in is looked at
 * again: so what fires does not depend on the order in which matches come, only on when they happened.
 */
export class Window {
  readonly #correlation: Correlation;
  /** By time; those before `#begin` have left the window of the youngest, and stay for LATE_US_MAX. */
  #entries: Entry[] = [];
  #begin = 0;
  #aggregate: Aggregate;
  #chain: Chain | undefined;
  #link: Link | undefined;

  constructor(correlation: Correlation) {
    this.#correlation = correlation;
    this.#aggregate = aggregateOf(correlation);
    this.#chain = chainOf(correlation);
  }

  /** When the youngest match was; before all where there is none. */
  get lastUs(): number {
    return this.#entries.at(-1)?.match.timeUs ?? Number.NEGATIVE_INFINITY;
  }

  /** How many matches it keeps. */
  get size(): number {
    return this.#entries.length;
  }

  /** Takes a match; gives the firings it makes, mostly none or one. */
  add(entry: Entry): readonly WindowFiring[] {
    const last = this.#entries.at(-1);
    if (last && isBefore(entry.match, last.match)) return this.#insert(entry);
    this.#entries.push(entry);
    if (!this.#admit(entry)) return NONE;
    return [this.#firing(entry)];
  }

  /** Gives up the oldest matches, to make room; how many. */
  dropOldest(): number {
    const dropped = Math.min(DROPPED_ENTRIES, this.#entries.length);
    for (let index = this.#begin; index < dropped; index++) this.#aggregate.remove(this.#entries[index] as Entry);
    this.#entries = this.#entries.slice(dropped);
    this.#begin = Math.max(0, this.#begin - dropped);
    return dropped;
  }

  #insert(entry: Entry): readonly WindowFiring[] {
    if (entry.match.timeUs < this.lastUs - this.#correlation.timespanUs - LATE_US_MAX) return NONE;
    let at = this.#entries.length;
    while (at > 0 && isBefore(entry.match, (this.#entries[at - 1] as Entry).match)) at--;
    const entries = this.#entries.toSpliced(at, 0, entry);
    this.#entries = [];
    this.#begin = 0;
    this.#aggregate = aggregateOf(this.#correlation);
    this.#chain = chainOf(this.#correlation);
    const firings: WindowFiring[] = [];
    for (const [index, one] of entries.entries()) {
      this.#entries.push(one);
      if (this.#admit(one) && index >= at) firings.push(this.#firing(one));
    }
    return firings;
  }

  /** Takes in the youngest entry, which is the last of the entries; says whether the condition holds with it. */
  #admit(entry: Entry): boolean {
    const { timespanUs } = this.#correlation;
    const { timeUs } = entry.match;
    let oldest = this.#entries[this.#begin] as Entry;
    while (oldest.match.timeUs < timeUs - timespanUs) {
      this.#aggregate.remove(oldest);
      oldest = this.#entries[++this.#begin] as Entry;
    }
    if (this.#begin >= COMPACT_ENTRIES && 2 * this.#begin >= this.#entries.length)
      this.#compact(timeUs - timespanUs - LATE_US_MAX);
    this.#aggregate.add(entry);
    this.#link = this.#chain?.add(entry);
    if (this.#chain && !(this.#link && this.#link.startUs >= timeUs - timespanUs)) return false;
    return this.#holds();
  }

  #holds(): boolean {
    const { bounds, expression } = this.#correlation;
    if (expression && !this.#matches(expression)) return false;
    const value = this.#aggregate.value();
    return value !== undefined && bounds.every((bound) => within(value, bound));
  }

  #matches(expression: RuleExpression): boolean {
    return holds(expression, (index) => this.#aggregate.matched?.(index) ?? false);
  }

  #compact(keepFromUs: number): void {
    let left = 0;
    while (left < this.#begin && (this.#entries[left] as Entry).match.timeUs < keepFromUs) left++;
    if (left < COMPACT_ENTRIES) return;
    this.#entries = this.#entries.slice(left);
    this.#begin -= left;
  }

  #firing({ match }: Entry): WindowFiring {
    const { references } = this.#correlation;
    const value = this.#aggregate.value() ?? 0;
    return new WindowFiring(match, value, references.length, this.#entries, this.#begin, this.#link);
  }
}

/** As many as a firing names: of each reference its youngest, then the first and the last. */
function named(entries: readonly Entry[], references: number): readonly Entry[] {
  if (entries.length <= NAMED_MATCHES_MAX) return entries;
  const kept = new Set<Entry>();
  for (let index = 0; index < references && kept.size < NAMED_MATCHES_MAX / 2; index++) {
    const youngest = entries.findLast(({ reference }) => reference === index);
    if (youngest) kept.add(youngest);
  }
  for (let step = 0; kept.size < NAMED_MATCHES_MAX; step++) {
    kept.add(entries[step] as Entry);
    if (kept.size < NAMED_MATCHES_MAX) kept.add(entries[entries.length - 1 - step] as Entry);
  }
  return entries.filter((entry) => kept.has(entry));
}

const NONE: readonly WindowFiring[] = [];

function chainOf({ type, references }: Correlation): Chain | undefined {
  return type === "temporal_ordered" ? new Chain(references.length) : undefined;
}

function within(value: number, { operator, value: bound }: Bound): boolean {
  return BOUNDS[operator](value, bound);
}
