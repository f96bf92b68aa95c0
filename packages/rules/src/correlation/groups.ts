// The groups of one correlation: which of them a match is in, and how many there may be.
import type { Correlation, Grouping } from "./correlation.ts";
import type { LimitHits } from "./engine.ts";
import type { RuleMatch } from "./match.ts";
import { ENTRIES_PER_GROUP_MAX, type Entry, LATE_US_MAX, Window, type WindowFiring } from "./window.ts";

/** Of one correlation; beyond this the group that was idle longest is given up, counted. */
export const GROUPS_MAX = 10_000;
/** Of one correlation, in all groups together; beyond this the same. */
export const ENTRIES_MAX = 100_000;
/** Matches that came before the one that is the root of their tree, of the last LATE_US_MAX. */
const EARLY_MAX = 1_024;
/** Groups that are looked at each time for whether they are over. */
const EXPIRE_LOOKS = 4;

export interface Group {
  key: string;
  /** By the names of the grouping. */
  values: Readonly<Record<string, string>>;
  window: Window;
  /** Whether a match came since it was last looked at. */
  touched: boolean;
  /** The first match of the story it is telling; undefined before it fired. */
  story: RuleMatch | undefined;
  storyUs: number;
  firedUs: number;
}

interface Entered {
  group: Group;
  fired: WindowFiring;
}

const NOTHING: readonly Entered[] = [];

export class Groups {
  readonly #correlation: Correlation;
  readonly #hits: LimitHits;
  readonly #groups = new Map<string, Group>();
  readonly #tree: boolean;
  #early: { match: RuleMatch; reference: number }[] = [];
  #entries = 0;

  constructor(correlation: Correlation, hits: LimitHits) {
    this.#correlation = correlation;
    this.#hits = hits;
    this.#tree = correlation.groupBy.some(({ kind }) => kind === "tree");
  }

  get count(): number {
    return this.#groups.size;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Puts a match into its groups; gives what fires. Without a value to group by, it is in none. */
  enter(match: RuleMatch, reference: number): readonly Entered[] {
    const values = this.#valuesOf(match, reference);
    const value = this.#correlation.fields.length === 0 ? undefined : this.#valueOf(match, reference);
    if (values === undefined || value === null) return NOTHING;
    const key = values.join("\0");
    const entry: Entry = { match, reference, value };
    if (this.#tree) return this.#enterTree(key, values, entry);
    const group = this.#groups.get(key) ?? this.#open(key, values, match);
    return this.#add(group, entry);
  }

  /** Looks at some groups, and gives up those whose window is empty by now. */
  expire(watermarkUs: number): void {
    const over = watermarkUs - this.#correlation.timespanUs - LATE_US_MAX;
    for (let look = 0; look < EXPIRE_LOOKS; look++) {
      const group = this.#oldest();
      if (!group) return;
      if (group.window.lastUs < over) this.#close(group);
      else if (group.touched) this.#putLast(group);
      else return;
    }
  }

  /**
   * A tree is there while its window has matches. A match goes into the tree of the nearest ancestor that has one; one
   * of the first reference that has none begins one, with those of its descendants that came too early.
   */
  #enterTree(key: string, values: readonly string[], entry: Entry): readonly Entered[] {
    const { match, reference } = entry;
    for (const process of match.lineage) {
      const group = this.#groups.get(`${key}\0${process}`);
      if (group && group.window.lastUs >= match.timeUs - this.#correlation.timespanUs) return this.#add(group, entry);
    }
    const [root] = match.lineage;
    if (root === undefined) return NOTHING;
    if (reference !== 0) {
      this.#early = this.#early.filter((one) => one.match.timeUs >= match.timeUs - LATE_US_MAX).slice(-EARLY_MAX);
      this.#early.push({ match, reference });
      return NOTHING;
    }
    const stale = this.#groups.get(`${key}\0${root}`);
    if (stale) this.#close(stale);
    const group = this.#open(`${key}\0${root}`, values, match);
    const fired = [...this.#add(group, entry)];
    const early = this.#early;
    this.#early = [];
    for (const one of early) {
      if (one.match.timeUs < match.timeUs) this.#early.push(one);
      else fired.push(...this.enter(one.match, one.reference));
    }
    return fired;
  }

  #add(group: Group, entry: Entry): readonly Entered[] {
    group.touched = true;
    const before = group.window.size;
    const firings = group.window.add(entry);
    if (group.window.size > ENTRIES_PER_GROUP_MAX) {
      this.#hits.matches += group.window.dropOldest();
    }
    this.#entries += group.window.size - before;
    while (this.#entries > ENTRIES_MAX && this.#groups.size > 1) this.#giveUp(group);
    return firings.length === 0 ? NOTHING : firings.map((fired) => ({ group, fired }));
  }

  #open(key: string, values: readonly string[], match: RuleMatch): Group {
    if (this.#groups.size >= GROUPS_MAX) this.#giveUp();
    const group: Group = {
      key,
      values: this.#named(values, match),
      window: new Window(this.#correlation),
      touched: false,
      story: undefined,
      storyUs: 0,
      firedUs: 0,
    };
    this.#groups.set(key, group);
    return group;
  }

  #close(group: Group): void {
    this.#groups.delete(group.key);
    this.#entries -= group.window.size;
  }

  #oldest(): Group | undefined {
    return this.#groups.values().next().value;
  }

  #putLast(group: Group): void {
    group.touched = false;
    this.#groups.delete(group.key);
    this.#groups.set(group.key, group);
  }

  /** Gives up one that had no match for long: the first that was not touched since all others were looked at. */
  #giveUp(except?: Group): void {
    for (let group = this.#oldest(); group; group = this.#oldest()) {
      if (group.touched || group === except) {
        this.#putLast(group);
        continue;
      }
      this.#close(group);
      this.#hits.groups++;
      this.#hits.matches += group.window.size;
      return;
    }
  }

  /** The values of what is grouped by; of a tree's root there is no value here. */
  #valuesOf(match: RuleMatch, reference: number): string[] | undefined {
    const values: string[] = [];
    for (const grouping of this.#correlation.groupBy) {
      if (grouping.kind === "tree") continue;
      const value = valueIn(grouping, match, reference);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  #named(values: readonly string[], match: RuleMatch): Record<string, string> {
    const named: Record<string, string> = {};
    const rest = [...values];
    for (const grouping of this.#correlation.groupBy) {
      if (grouping.kind === "field") named[grouping.name] = rest.shift() ?? "";
      else if (grouping.kind === "process") named["same process"] = rest.shift() ?? "";
      else named["descendant of"] = match.lineage[0] ?? "";
    }
    return named;
  }

  /** What is counted of a match; null where it has nothing to count, or no number where one is needed. */
  #valueOf({ fields }: RuleMatch, reference: number): string | number | null {
    const texts = (this.#correlation.fields[reference] ?? []).map((field) => fields[field]);
    if (texts.includes(undefined)) return null;
    const [text = ""] = texts;
    if (this.#correlation.type === "value_count") return texts.length === 1 ? text : JSON.stringify(texts);
    const number = text.trim() === "" ? Number.NaN : Number(text);
    return Number.isFinite(number) ? number : null;
  }
}

function valueIn(grouping: Exclude<Grouping, { kind: "tree" }>, match: RuleMatch, reference: number) {
  if (grouping.kind === "process") return match.lineage[0];
  return match.fields[grouping.fields[reference] ?? grouping.name];
}
