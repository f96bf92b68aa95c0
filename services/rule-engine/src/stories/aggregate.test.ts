// What is folded adds up, whatever comes and whenever the process dies; the first of a story never waits.
import test from "ava";
import fc from "fast-check";
import {
  Aggregator,
  type Outgoing,
  PACE_US_MAX,
  PACE_US_MIN,
  SAMPLES_MAX,
  SILENCE_US_MAX,
  STORIES_MAX,
  STORY_US_MAX,
  type Story,
  type StoryMatch,
} from "./aggregate.ts";

const START_US = 1_700_000_000_000_000;
const S = 1_000_000;

function match(key: string, afterUs: number, event = afterUs): StoryMatch {
  const id = `${key}@${event}`;
  return {
    key,
    rule: key,
    id,
    priority: 5,
    eventId: `e${event}`,
    timeUs: START_US + afterUs,
    output: `${key} ${event}`,
  };
}

/** What the portal keeps: of each detection the highest revision. */
function portal(sent: readonly Outgoing<StoryMatch>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of sent) {
    const [id, count] = one.kind === "first" ? [one.match.id, 1] : [one.story.id, one.story.count];
    counts.set(id, Math.max(count, counts.get(id) ?? 0));
  }
  return counts;
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

test("the first goes out at once, 199 repeats with the next revision", (t) => {
  const aggregator = new Aggregator();
  const first = aggregator.take([match("a", 0)], START_US);
  t.deepEqual(first.out, [{ kind: "first", match: match("a", 0) }]);
  for (let event = 1; event < 200; event++) {
    t.deepEqual(aggregator.take([match("a", event)], START_US + event).out, []);
  }
  const { out } = aggregator.take([], START_US + PACE_US_MIN);
  t.deepEqual(
    out.map((one) => one.kind === "revision" && [one.story.id, one.story.count, one.story.lastUs]),
    [["a@0", 200, START_US + 199]],
  );
  t.is(out[0]?.kind === "revision" && out[0].story.samples.length, SAMPLES_MAX);
});

test("revisions grow rarer while it goes on, and come faster again after a silence", (t) => {
  const aggregator = new Aggregator();
  const told: number[] = [];
  const run = (fromS: number, toS: number, repeats: boolean) => {
    for (let second = fromS; second < toS; second++) {
      const { out } = aggregator.take(repeats ? [match("a", second * S)] : [], START_US + second * S);
      if (out.some(({ kind }) => kind === "revision")) told.push(second);
    }
  };
  run(0, 4_000, true);
  const gaps = told.map((second, at) => second - (told[at - 1] ?? 0));
  t.deepEqual(gaps.slice(0, 4), [5, 10, 20, 40]);
  t.is(Math.max(...gaps), PACE_US_MAX / S);
  run(4_000, 5_700, false);
  told.length = 0;
  run(5_700, 5_720, true);
  t.true(told.length >= 1 && (told[0] as number) - 5_700 <= PACE_US_MIN / S + 1, String(told));
});

test("a story ends after a silence, and once a day", (t) => {
  const aggregator = new Aggregator();
  aggregator.take([match("a", 0), match("a", 1)], START_US);
  const ended = aggregator.take([], START_US + SILENCE_US_MAX + 2);
  t.deepEqual(portal(ended.out), new Map([["a@0", 2]]));
  t.is(aggregator.size, 0);
  const again = SILENCE_US_MAX + 3;
  t.is(aggregator.take([match("a", again)], START_US + again).opened.length, 1);
  let opened = 0;
  for (let at = again; at <= again + STORY_US_MAX + SILENCE_US_MAX; at += SILENCE_US_MAX) {
    opened += aggregator.take([match("a", at)], START_US + at).opened.length;
  }
  t.is(opened, 1);
});

test("beyond the limit the story that was silent for longest ends, with what it has to tell", (t) => {
  const aggregator = new Aggregator();
  aggregator.take([match("first", 0), match("second", 0), match("first", 1), match("second", 1)], START_US);
  const many = Array.from({ length: STORIES_MAX - 2 }, (_, at) => match(`k${at}`, 2));
  t.is(aggregator.take(many, START_US + 2).evicted, 0);
  const { evicted, out } = aggregator.take([match("first", 3), match("one more", 3)], START_US + 3);
  t.is(evicted, 1);
  t.deepEqual(
    portal(out),
    new Map([
      ["one more@3", 1],
      ["second@0", 2],
    ]),
  );
});

interface Batch {
  keys: number[];
  afterUs: number;
  /** The process dies: before anything is sent, or after, in both cases before the state is safe; or not at all. */
  crash: "no" | "unsent" | "sent";
}

const batches: fc.Arbitrary<Batch[]> = fc.array(
  fc.record({
    keys: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 }),
    afterUs: fc.oneof(fc.integer({ min: 0, max: 20 * S }), fc.integer({ min: 0, max: STORY_US_MAX })),
    crash: fc.constantFrom("no", "no", "unsent", "sent"),
  }),
  { maxLength: 60 },
);

test("totals add up under random matches and crashes, and each story's first match goes out when it is taken", (t) => {
  fc.assert(
    fc.property(batches, (all) => {
      const safe = new Map<string, Story>();
      let aggregator = new Aggregator(safe);
      const sent: Outgoing<StoryMatch>[] = [];
      let nowUs = 0;
      let event = 0;
      let matches = 0;
      for (const { keys, afterUs, crash } of all) {
        nowUs += afterUs;
        const batch = keys.map((key) => match(`k${key}`, nowUs, event++));
        matches += batch.length;
        if (crash !== "no") {
          const lost = aggregator.take(batch, START_US + nowUs);
          if (crash === "sent") sent.push(...lost.out);
          aggregator = new Aggregator(safe);
        }
        const { out, changes, opened, folded } = aggregator.take(batch, START_US + nowUs);
        sent.push(...out);
        if (opened.length + folded !== batch.length) return false;
        if (out.filter(({ kind }) => kind === "first").length !== opened.length) return false;
        for (const [key, { story }] of changes) {
          if (story) safe.set(key, story);
          else safe.delete(key);
        }
      }
      nowUs += STORY_US_MAX + SILENCE_US_MAX;
      sent.push(...aggregator.take([], START_US + nowUs).out);
      const shuffled = sent.toReversed();
      return sum(portal(sent)) === matches && sum(portal(shuffled)) === matches && aggregator.size === 0;
    }),
    { numRuns: 500 },
  );
  t.pass();
});
