// Folds repeats of one story into one detection: the first goes out at once, the others as revisions that count them.

import type { Priority } from "@nightjar/proto";

const US_PER_S = 1_000_000;
/** A revision follows the first detection, or the revision before, this much later; twice as much each time, */
export const PACE_US_MIN = 5 * US_PER_S;
/** up to this. It shrinks again by half for each time in which nothing repeats. */
export const PACE_US_MAX = 600 * US_PER_S;
/** A story that was silent for so long has ended: what comes then is a new one. */
export const SILENCE_US_MAX = 1_800 * US_PER_S;
/** So has one that goes on and on, for a person to be told anew once a day. */
export const STORY_US_MAX = 86_400 * US_PER_S;
/** Stories that go on at once; beyond, the one that was silent for longest ends early, and is counted. */
export const STORIES_MAX = 10_000;
/** Different outputs kept of a story, the first ones. */
export const SAMPLES_MAX = 5;
/** Stories are looked through so often, in the time of events. */
const LOOK_US = US_PER_S;

/** A match on its way to becoming a detection or a part of one. */
export interface StoryMatch {
  /** The same for matches that tell the same story. */
  key: string;
  rule: string;
  /** The detection's id, should this be the first. */
  id: string;
  priority: Priority;
  eventId: string;
  /** µs since 1970. */
  timeUs: number;
  /** The output, shortened. */
  output: string;
}

export interface Sample {
  timeUs: number;
  eventId: string;
  output: string;
}

/** A story that goes on. States are never changed, so that one may be on its way to the disk while the next is made. */
export interface Story {
  /** Of the detection that the first match made. */
  readonly id: string;
  readonly priority: Priority;
  /** Matches so far, the first included. */
  readonly count: number;
  /** How many of them the last revision told. */
  readonly told: number;
  readonly firstUs: number;
  readonly lastUs: number;
  /** The next revision goes out at `dueUs`, if there is something to tell, the one after that `paceUs` later. */
  readonly paceUs: number;
  readonly dueUs: number;
  readonly samples: readonly Sample[];
}

/** What goes out: a story's first match, or how far the story has come. */
export type Outgoing<Match extends StoryMatch> = { kind: "first"; match: Match } | { kind: "revision"; story: Story };

/** What became of the stories of a key: the one that goes on, if any, and the ids of those that ended. */
export interface StoryChange {
  story: Story | undefined;
  ended: string[];
}

/** What came of some matches. */
export interface Taken<Match extends StoryMatch> {
  out: Outgoing<Match>[];
  /** The stories that changed, by key. */
  changes: Map<string, StoryChange>;
  /** Matches that went out as a story's first; the others were folded into a story. */
  opened: Match[];
  folded: number;
  /** Stories that ended early because there were too many. */
  evicted: number;
}

/**
 * A revision's number is the count it tells, so that whatever a crash repeats, the same number says the same, and a
 * higher one says more. Nothing here looks at a clock: the caller says what time it is, as events tell it.
 */
export class Aggregator {
  /** The one that was silent for longest comes first. */
  readonly #stories: Map<string, Story>;
  #nowUs = 0;
  #nextLookUs = 0;

  constructor(stories: Iterable<readonly [key: string, story: Story]> = []) {
    this.#stories = new Map([...stories].sort(([, a], [, b]) => a.lastUs - b.lastUs));
  }

  /** Stories that go on. */
  get size(): number {
    return this.#stories.size;
  }

  /** Matches that are folded and that no revision has told. */
  get untold(): number {
    let untold = 0;
    for (const { count, told } of this.#stories.values()) untold += count - told;
    return untold;
  }

  /** When the last event of any story was; 0 where there is none. */
  get lastUs(): number {
    return [...this.#stories.values()].reduce((latest, { lastUs }) => Math.max(latest, lastUs), 0);
  }

  /** Takes matches in the order of their events; `nowUs` is the latest time of an event so far. */
  take<Match extends StoryMatch>(matches: readonly Match[], nowUs: number): Taken<Match> {
    const taken: Taken<Match> = { out: [], changes: new Map(), opened: [], folded: 0, evicted: 0 };
    this.#nowUs = Math.max(this.#nowUs, nowUs);
    for (const match of matches) this.#match(match, taken);
    if (this.#nowUs >= this.#nextLookUs) {
      this.#nextLookUs = this.#nowUs + LOOK_US;
      for (const [key, story] of this.#stories) this.#look(key, story, taken);
    }
    return taken;
  }

  #match<Match extends StoryMatch>(match: Match, taken: Taken<Match>): void {
    const story = this.#stories.get(match.key);
    if (story && !isOver(story, match.timeUs)) {
      taken.folded++;
      this.#stories.delete(match.key);
      this.#set(match.key, folded(story, match), taken);
      return;
    }
    if (story) this.#end(match.key, story, taken);
    taken.opened.push(match);
    taken.out.push({ kind: "first", match });
    this.#set(match.key, opened(match, this.#nowUs), taken);
    const [oldest] = this.#stories;
    if (this.#stories.size <= STORIES_MAX || !oldest) return;
    taken.evicted++;
    this.#end(oldest[0], oldest[1], taken);
  }

  #look<Match extends StoryMatch>(key: string, story: Story, taken: Taken<Match>): void {
    if (isOver(story, this.#nowUs)) this.#end(key, story, taken);
    else if (this.#nowUs < story.dueUs) return;
    else if (story.count > story.told) {
      taken.out.push({ kind: "revision", story });
      const paceUs = Math.min(2 * story.paceUs, PACE_US_MAX);
      this.#set(key, { ...story, told: story.count, paceUs, dueUs: this.#nowUs + paceUs }, taken);
    } else if (story.paceUs > PACE_US_MIN) {
      const paceUs = Math.max(story.paceUs / 2, PACE_US_MIN);
      this.#set(key, { ...story, paceUs, dueUs: this.#nowUs + paceUs }, taken);
    }
  }

  #set<Match extends StoryMatch>(key: string, story: Story, taken: Taken<Match>): void {
    this.#stories.set(key, story);
    taken.changes.set(key, { story, ended: taken.changes.get(key)?.ended ?? [] });
  }

  /** What it has to tell yet goes out. */
  #end<Match extends StoryMatch>(key: string, story: Story, taken: Taken<Match>): void {
    if (story.count > story.told) taken.out.push({ kind: "revision", story });
    this.#stories.delete(key);
    taken.changes.set(key, { story: undefined, ended: [...(taken.changes.get(key)?.ended ?? []), story.id] });
  }
}

function isOver({ firstUs, lastUs }: Story, nowUs: number): boolean {
  return nowUs - lastUs > SILENCE_US_MAX || nowUs - firstUs > STORY_US_MAX;
}

function opened({ id, priority, timeUs, eventId, output }: StoryMatch, nowUs: number): Story {
  const samples = [{ timeUs, eventId, output }];
  const paceUs = PACE_US_MIN;
  const times = { firstUs: timeUs, lastUs: timeUs, paceUs, dueUs: nowUs + paceUs };
  return { id, priority, count: 1, told: 1, ...times, samples };
}

function folded(story: Story, { timeUs, eventId, output }: StoryMatch): Story {
  const { samples } = story;
  const known = samples.length >= SAMPLES_MAX || samples.some((sample) => sample.output === output);
  return {
    ...story,
    count: story.count + 1,
    lastUs: Math.max(story.lastUs, timeUs),
    samples: known ? samples : [...samples, { timeUs, eventId, output }],
  };
}
