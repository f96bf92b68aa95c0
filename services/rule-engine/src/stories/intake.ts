// Gives stories what the pool matched, in the time of events, and lets that time go on while nothing happens.
import type { BatchReader, Range } from "@nightjar/events";
import type { Stage } from "@nightjar/stage";
import type { Activity } from "../activity.ts";
import type { Change } from "../latest-value.ts";
import { BootTimes } from "../ordered/read-note.ts";
import type { ProcessedRanges } from "../processed.ts";
import type { MatchedBatch } from "../worker.ts";
import { PACE_US_MAX, type Taken } from "./aggregate.ts";
import { type DetectedMatch, Stories } from "./stories.ts";

const TICK_MS = 1_000;
/** A recording gives nothing for so long: it is at its end, and nobody shall wait for what it has to tell. */
const RECORDING_END_MS = 2_000;
const US_PER_MS = 1_000;

/** What came of a batch, and what is to be on disk with it. */
interface Intake {
  range: Range;
  also: Promise<void>;
}

export class StoryIntake {
  readonly #stories: Stories;
  readonly #times = new BootTimes();
  /** The latest time of an event, and when that was here; of stories from before a restart, when it was over. */
  #latestUs: number;
  #latestAt = performance.now();
  #ticking = false;

  readonly #replays: boolean;

  private constructor(stories: Stories, replays: boolean) {
    this.#stories = stories;
    this.#latestUs = stories.lastUs;
    this.#replays = replays;
  }

  /** Opens what was committed with the ranges; counts go to the stage's counters and to `activity`. */
  static async open(stage: Stage, processed: ProcessedRanges, activity: Activity): Promise<StoryIntake> {
    const world = {
      publish: ({ subject, bytes, messageId }: { subject: string; bytes: Uint8Array; messageId: string }) =>
        stage.bus.publish("DETECTIONS", subject, bytes, messageId),
      commit: (range: Range | undefined, changes: readonly Change[]) => processed.commit(range, changes),
      get: (key: string) => processed.get(key),
    };
    const count = (matches: readonly DetectedMatch[], { opened, folded, out, evicted }: Taken<DetectedMatch>) => {
      activity.folded(matches, opened);
      stage.counters.add("detections", opened.length);
      stage.counters.add("matches_folded", folded);
      stage.counters.add("revisions", out.length - opened.length);
      stage.counters.add("stories_evicted", evicted);
    };
    const fold = stage.settings.rule_engine.fold_repeats;
    const entries = await processed.entries(Stories.PREFIX);
    const replays = stage.settings.collector.replay_file !== "";
    const intake = new StoryIntake(Stories.open({ ...world, count }, entries, { fold }), replays);
    const tick = setInterval(() => void intake.tick(), TICK_MS);
    stage.onStop(() => clearInterval(tick));
    return intake;
  }

  /** Stories that go on. */
  get size(): number {
    return this.#stories.size;
  }

  /** Matches that are folded and that no revision has told. */
  get untold(): number {
    return this.#stories.untold;
  }

  /** Resolves when what came of the batch is on the bus and on disk. */
  async take(batch: BatchReader, result: MatchedBatch, intake: Intake): Promise<void> {
    const { sourceId } = batch;
    const bootTimeUnixNs = Number(batch.bootTimeUnixNs);
    const timeUs = (timeNs: number) => this.#times.eventUs(sourceId, bootTimeUnixNs, timeNs);
    const matches = result.standing.map(({ timeNs, ...match }) => ({ ...match, timeUs: timeUs(timeNs) }));
    if (batch.length > 0) {
      this.#latestUs = timeUs(result.lastTimeNs);
      this.#latestAt = performance.now();
    }
    await this.#stories.take(matches, this.#latestUs, intake);
  }

  /**
   * A host on which nothing happens has no events that tell the time. What passes here since the last one has passed
   * there, too: events cannot be that far ahead, only behind, and a story that ends early loses nothing.
   */
  async tick(): Promise<void> {
    if (this.#ticking || this.#stories.size === 0 || this.#latestUs === 0) return;
    this.#ticking = true;
    const passedMs = performance.now() - this.#latestAt;
    const aheadUs = this.#replays && passedMs > RECORDING_END_MS ? PACE_US_MAX : 0;
    await this.#stories.take([], Math.floor(this.#latestUs + passedMs * US_PER_MS + aheadUs));
    this.#ticking = false;
  }
}
