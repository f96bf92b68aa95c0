// Killed after any of its effects, with what comes again, stories tell every match once: the counts add up.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Detection, DetectionBatchSchema, DetectionSchema, Priority } from "@nightjar/proto";
import { detectionId } from "@nightjar/stage";
import test from "ava";
import fc from "fast-check";
import type { DetectionGroup } from "../detections.ts";
import type { Change } from "../latest-value.ts";
import { PACE_US_MIN, SILENCE_US_MAX, STORY_US_MAX, type Taken } from "./aggregate.ts";
import { type DetectedMatch, Stories, type StoriesWorld } from "./stories.ts";

const START_US = 1_700_000_000_000_000;
const S = 1_000_000;

function match(key: string, event: number, timeUs: number): DetectedMatch {
  const eventId = `source:${event}`;
  const id = detectionId(key, eventId);
  const detection = create(DetectionSchema, { id, rule: key, revision: 1, output: `first of ${key}` });
  return {
    ...{ key, rule: key, id, eventId, timeUs },
    priority: Priority.WARNING,
    output: `${key} ${event}`,
    detection: toBinary(DetectionSchema, detection),
  };
}

class Killed extends Error {}

/** What outlives the process: the portal, and the disk. Dies after so many effects. */
class World implements StoriesWorld {
  readonly portal = new Map<string, Detection>();
  readonly disk = new Map<string, Uint8Array>();
  readonly counted = { matches: 0, opened: 0, folded: 0 };
  effectsLeft = Number.POSITIVE_INFINITY;

  publish({ bytes }: DetectionGroup): Promise<void> {
    for (const one of fromBinary(DetectionBatchSchema, bytes).detections) {
      const known = this.portal.get(one.id);
      if (!known || known.revision < one.revision) this.portal.set(one.id, one);
      else if (known.revision === one.revision && known.count !== one.count) throw new Error("one number, two counts");
    }
    return this.#effect();
  }

  commit(_range: unknown, changes: readonly Change[]): Promise<void> {
    if (this.effectsLeft === 0) return this.#effect();
    for (const { key, value } of changes) {
      if (value) this.disk.set(key, value);
      else this.disk.delete(key);
    }
    return this.#effect();
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.disk.get(key);
  }

  count(matches: readonly DetectedMatch[], { opened, folded }: Taken<DetectedMatch>): void {
    this.counted.matches += matches.length;
    this.counted.opened += opened.length;
    this.counted.folded += folded;
  }

  open(): Stories {
    const entries = [...this.disk].filter(([key]) => key.startsWith(Stories.PREFIX));
    return Stories.open(this, entries, { fold: true });
  }

  get total(): bigint {
    return [...this.portal.values()].reduce((sum, { count }) => sum + count, 0n);
  }

  async #effect(): Promise<void> {
    if (this.effectsLeft === 0) throw new Killed();
    this.effectsLeft--;
  }
}

const range = { source: "s", first: 0, next: 1 };

test("a revision is the first detection with the count, the last time and samples", async (t) => {
  const world = new World();
  const stories = world.open();
  await stories.take([match("a", 1, START_US)], START_US, { range });
  const [first] = world.portal.values();
  t.deepEqual([first?.revision, first?.count, first?.output], [1, 1n, "first of a"]);
  await stories.take([match("a", 2, START_US + 1_500_000)], START_US + PACE_US_MIN, { range });
  const [second, ...others] = world.portal.values();
  t.deepEqual(others, []);
  t.deepEqual([second?.revision, second?.count, second?.output], [2, 2n, "first of a"]);
  t.is(second?.lastTime && timestampMs(second.lastTime), START_US / 1_000 + 1_500);
  t.deepEqual(
    second?.samples.map(({ output, eventId }) => [output, eventId]),
    [
      ["a 1", "source:1"],
      ["a 2", "source:2"],
    ],
  );
});

test("after a restart the time goes on from the last event of a story, though no event comes", async (t) => {
  const world = new World();
  await world.open().take([match("a", 1, START_US), match("a", 2, START_US + S)], START_US + S, { range });
  const reopened = world.open();
  t.is(reopened.lastUs, START_US + S);
  t.is(reopened.untold, 1);
  await reopened.take([], reopened.lastUs + PACE_US_MIN);
  t.is(world.total, 2n);
});

test("without folding each match is a detection, and nothing is kept", async (t) => {
  const world = new World();
  const stories = Stories.open(world, [], { fold: false });
  await stories.take([match("a", 1, START_US), match("a", 2, START_US)], START_US, { range });
  t.is(world.portal.size, 2);
  t.is(world.disk.size, 0);
});

test("an ended story leaves nothing on disk", async (t) => {
  const world = new World();
  const stories = world.open();
  await stories.take([match("a", 1, START_US), match("b", 2, START_US)], START_US, { range });
  t.is(world.disk.size, 4);
  await stories.take([], START_US + SILENCE_US_MAX + 1);
  t.is(world.disk.size, 0);
});

const batches = fc.array(
  fc.record({
    keys: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 5 }),
    passUs: fc.oneof(fc.integer({ min: 0, max: 3 * PACE_US_MIN }), fc.integer({ min: 0, max: STORY_US_MAX })),
    /** Batches under way at once: what comes again after a death. */
    together: fc.integer({ min: 1, max: 3 }),
    effects: fc.option(fc.integer({ min: 0, max: 6 }), { freq: 2 }),
  }),
  { maxLength: 25 },
);

test("every match is told once, wherever it is killed", async (t) => {
  await fc.assert(
    fc.asyncProperty(batches, async (all) => {
      const world = new World();
      let stories = world.open();
      let timeUs = START_US;
      let event = 0;
      let matches = 0n;
      for (const { keys, passUs, together, effects } of all) {
        const wave = Array.from({ length: together }, () => {
          timeUs += passUs;
          matches += BigInt(keys.length);
          return { batch: keys.map((key) => match(key, event++, timeUs)), nowUs: timeUs, done: false };
        });
        world.effectsLeft = effects ?? Number.POSITIVE_INFINITY;
        while (wave.some(({ done }) => !done)) {
          const results = await Promise.allSettled(
            wave.map(async (one) => {
              if (one.done) return;
              await stories.take(one.batch, one.nowUs, { range });
              one.done = true;
            }),
          );
          const failed = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
          for (const { reason } of failed) if (!(reason instanceof Killed)) throw reason;
          world.effectsLeft = Number.POSITIVE_INFINITY;
          if (failed.length > 0) stories = world.open();
        }
      }
      await stories.take([], timeUs + STORY_US_MAX + SILENCE_US_MAX);
      return world.total === matches && world.disk.size === 0;
    }),
    { numRuns: 300 },
  );
  t.pass();
});
