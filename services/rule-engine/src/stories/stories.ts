// Stands between the pool and the bus: what the aggregator gives is published, then its state is on disk.
import { create, toBinary } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Range } from "@nightjar/events";
import { DetectionSchema } from "@nightjar/proto";
import type { DetectionGroup } from "../detections.ts";
import type { Change } from "../latest-value.ts";
import { type EncodedDetection, packDetections } from "../ordered/pack.ts";
import { Aggregator, type Outgoing, type Story, type StoryMatch, type Taken } from "./aggregate.ts";

/** Prefixes of keys on disk: a story that goes on by its key, and its first detection by its id. */
const STORY = "story:";
const FIRST = "first:";
const US_PER_S = 1_000_000;
const NS_PER_US = 1_000;

/** A match with its encoded Detection, which has neither count nor last time yet. */
export interface DetectedMatch extends StoryMatch {
  detection: Uint8Array;
}

/** What stories need of the world; the bus and the disk, or a test's own. */
export interface StoriesWorld {
  /** Resolves when DETECTIONS has stored the message. */
  publish(group: DetectionGroup): Promise<void>;
  /** Resolves when the range and the changes are on disk together. */
  commit(range: Range | undefined, changes: readonly Change[]): Promise<void>;
  /** What is on disk under a key. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Told what came of some matches. */
  count(matches: readonly DetectedMatch[], taken: Taken<DetectedMatch>): void;
}

/**
 * The order of `take` is the order of everything: states are committed in it, each behind what it told the bus. Killed
 * before the commit, the same matches come again, to the state before them: a story's first then has the same id, and a
 * revision that was published tells no more than a later one of the same story.
 */
export class Stories {
  readonly #world: StoriesWorld;
  readonly #aggregator: Aggregator;
  /** First detections that are not on disk yet, by id. */
  readonly #unwritten = new Map<string, Uint8Array>();
  /** Resolves when all taken so far is published. */
  #published: Promise<unknown> = Promise.resolve();

  readonly #fold: boolean;

  private constructor(world: StoriesWorld, aggregator: Aggregator, fold: boolean) {
    this.#world = world;
    this.#aggregator = aggregator;
    this.#fold = fold;
  }

  /** `entries` are what was committed under PREFIX; without `fold` each match is a story that ends at once. */
  static open(
    world: StoriesWorld,
    entries: readonly (readonly [key: string, value: Uint8Array])[],
    { fold }: { fold: boolean },
  ): Stories {
    const stories = entries.map(
      ([key, value]) => [key.slice(STORY.length), JSON.parse(Buffer.from(value).toString())] as const,
    );
    return new Stories(world, new Aggregator(stories), fold);
  }

  /** Where `open` finds what was committed. */
  static readonly PREFIX = STORY;

  /** Stories that go on. */
  get size(): number {
    return this.#aggregator.size;
  }

  /** Matches that are folded and that no revision has told. */
  get untold(): number {
    return this.#aggregator.untold;
  }

  /** When the last event of any story was, in µs since 1970; 0 where there is none. */
  get lastUs(): number {
    return this.#aggregator.lastUs;
  }

  /**
   * Takes the matches of one range, or none at `nowUs`, in µs since 1970 as events tell it. Resolves when what came of
   * them is on the bus and, once `also` has resolved, with the range on disk.
   */
  async take(
    matches: readonly DetectedMatch[],
    nowUs: number,
    { range, also }: { range?: Range; also?: Promise<void> } = {},
  ): Promise<void> {
    const taken = this.#aggregator.take(this.#fold ? matches : [], nowUs);
    if (!this.#fold) letOut(matches, taken);
    this.#world.count(matches, taken);
    const changes = this.#changes(taken);
    const mine = taken.out.length === 0 ? undefined : this.#publish(taken.out);
    const published = Promise.all([this.#published, mine, also]);
    this.#published = published;
    await published;
    if (range || changes.length > 0) await this.#world.commit(range, changes);
    for (const { key } of changes) this.#unwritten.delete(key);
  }

  async #publish(out: readonly Outgoing<DetectedMatch>[]): Promise<void> {
    const detections: EncodedDetection[] = await Promise.all(
      out.map(async (one) => {
        if (one.kind === "first") return { priority: one.match.priority, detection: firstOf(one.match) };
        const { story } = one;
        return { priority: story.priority, detection: revisionOf(story, await this.#first(story.id)) };
      }),
    );
    await Promise.all(packDetections(detections).map((group) => this.#world.publish(group)));
  }

  async #first(id: string): Promise<Uint8Array> {
    const key = FIRST + id;
    const bytes = this.#unwritten.get(key) ?? (await this.#world.get(key));
    if (!bytes) throw new Error(`the first detection of story ${id} is not on disk`);
    return bytes;
  }

  #changes({ out, changes }: Taken<DetectedMatch>): Change[] {
    const all: Change[] = [];
    for (const one of out) {
      if (one.kind !== "first" || !changes.has(one.match.key)) continue;
      const key = FIRST + one.match.id;
      this.#unwritten.set(key, one.match.detection);
      all.push({ key, value: one.match.detection });
    }
    for (const [key, { story, ended }] of changes) {
      all.push({ key: STORY + key, value: story && Buffer.from(JSON.stringify(story)) });
      for (const id of ended) all.push({ key: FIRST + id, value: undefined });
    }
    return all;
  }
}

/** Each goes out as a story that has ended. */
function letOut(matches: readonly DetectedMatch[], { out, opened }: Taken<DetectedMatch>): void {
  for (const match of matches) {
    out.push({ kind: "first", match });
    opened.push(match);
  }
}

function firstOf({ detection, timeUs }: DetectedMatch): Uint8Array {
  return followedBy(detection, { count: 1n, lastTime: timestampOf(timeUs) });
}

/** The first detection with what became of it: on the wire the last value of a field counts. */
function revisionOf({ count, lastUs, samples }: Story, first: Uint8Array): Uint8Array {
  return followedBy(first, {
    revision: count,
    count: BigInt(count),
    lastTime: timestampOf(lastUs),
    samples: samples.map(({ timeUs, eventId, output }) => ({ time: timestampOf(timeUs), eventId, output })),
  });
}

function followedBy(detection: Uint8Array, more: Parameters<typeof create<typeof DetectionSchema>>[1]): Uint8Array {
  return Buffer.concat([detection, toBinary(DetectionSchema, create(DetectionSchema, more))]);
}

function timestampOf(us: number): Pick<Timestamp, "seconds" | "nanos"> {
  return { seconds: BigInt(Math.floor(us / US_PER_S)), nanos: (us % US_PER_S) * NS_PER_US };
}
