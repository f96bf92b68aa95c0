// The ordered stage survives kill -9 at any moment: it is cut off after each of its effects, and what was stored is the
// same in the end as without.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BatchReader, RangeSet } from "@nightjar/events";
import { BatchSchema, DetectionBatchSchema, DetectionSchema, Priority } from "@nightjar/proto";
import test from "ava";
import type { DetectionGroup } from "../detections.ts";
import { type Note, type NotedMatch, noteMatches } from "./note.ts";
import { OrderedStage } from "./ordered-stage.ts";
import type { Candidate, Step } from "./step.ts";

const BOOT_ID = new Uint8Array(16).fill(0xab);
const BOOT_UNIX_NS = 1_700_000_000_000_000_000n;
const POSITIONS_PER_BATCH = 10;

/** A batch of ten events, one a position; those at `matched` match the rule. */
interface Given {
  batch: BatchReader;
  matched: readonly number[];
}

function given(index: number, matched: readonly number[]): Given {
  const first = index * POSITIONS_PER_BATCH;
  const events = Array.from({ length: POSITIONS_PER_BATCH }, (_, at) => ({
    position: BigInt(first + at),
    timeNs: BigInt(first + at) * 1_000_000n,
    data: { case: "open" as const, value: { path: Buffer.from("/etc/shadow") } },
  }));
  const batch = create(BatchSchema, {
    bootId: BOOT_ID,
    epoch: 7n,
    firstPosition: BigInt(first),
    nextPosition: BigInt(first + POSITIONS_PER_BATCH),
    bootTimeUnixNs: BOOT_UNIX_NS,
    events,
    processes: [{ pid: 1 }, { pid: 20, parent: 1, startTimeNs: 99n }],
    actors: events.map(() => 2),
  });
  return { batch: new BatchReader(toBinary(BatchSchema, batch)), matched };
}

function notesOf({ batch, matched }: Given): Note[] {
  const matches = matched.map((eventIndex): NotedMatch => {
    const rule = { name: "A rule", priority: Priority.WARNING, tags: [], place: "a.yaml:1" };
    const fields = { "fd.name": "/etc/shadow" };
    return { rule, eventIndex, output: "read", fields, values: { "proc.name": `p${eventIndex}` } };
  });
  return noteMatches(batch, matches, {
    lastTimeNs: batch.eventTimeNs(batch.length - 1),
    contentVersion: "v",
  }).notes;
}

/** Lets every third match through, which depends on all before it; and notes its watermarks. */
class EveryThird implements Step {
  #count = 0;
  readonly watermarks: number[] = [];

  take(candidates: readonly Candidate[], watermarkUs: number): readonly Candidate[] {
    this.watermarks.push(watermarkUs);
    return candidates.filter(() => ++this.#count % 3 === 0);
  }
}

/** What survives a crash: the streams and the files. */
class Disk {
  events: Given[];
  readonly matches: Uint8Array[] = [];
  readonly detections: DetectionGroup[] = [];
  readonly processed = new RangeSet();
  fired = { next: 0, watermarkUs: 0 };

  constructor(events: readonly Given[]) {
    this.events = [...events];
  }
}

/** One life of the process: its effects reach the disk until there have been `effectsMax` of them. */
class Life {
  readonly #disk: Disk;
  #left: number;
  #place = { next: 0, watermarkUs: 0 };

  constructor(disk: Disk, effectsMax: number) {
    this.#disk = disk;
    this.#left = effectsMax;
    this.#place = { ...disk.fired };
  }

  get dead(): boolean {
    return this.#left < 0;
  }

  /** Resolves once the effect has reached the disk; never after the crash. */
  async #effect(happen: () => void): Promise<void> {
    await Promise.resolve();
    if (this.#left-- <= 0) return new Promise<void>(() => {});
    happen();
  }

  async run(): Promise<void> {
    const disk = this.#disk;
    const stage = new OrderedStage(
      {
        note: ({ bytes }) => this.#effect(() => disk.matches.push(bytes)),
        publish: (group) => this.#effect(() => disk.detections.push(group)),
        fired: {
          includes: (_, position) => position < this.#place.next,
          watermarkUs: this.#place.watermarkUs,
          advance: (_, next, watermarkUs) => {
            this.#place = { next: Math.max(next, this.#place.next), watermarkUs };
          },
          save: () => {
            const place = { ...this.#place };
            return this.#effect(() => {
              disk.fired = place;
            });
          },
        },
        count: () => {},
      },
      [new EveryThird()],
    );
    await stage.rebuild([...disk.matches], disk.processed);
    await Promise.all(disk.events.map((one) => this.#evaluate(stage, one)));
    // The last of what was taken in is published after its batch was acknowledged.
    await stage.takeIn(stage.admit(), { source: "", next: 0, notes: [], bootTimeUnixNs: 0, lastTimeNs: 0 });
  }

  async #evaluate(stage: OrderedStage, one: Given): Promise<void> {
    const disk = this.#disk;
    const { sourceId: source, firstPosition: first, nextPosition: next } = one.batch;
    const acknowledge = () => {
      disk.events = disk.events.filter((other) => other !== one);
    };
    if (disk.processed.has({ source, first, next })) return this.#effect(acknowledge);
    const ticket = stage.admit();
    const notes = notesOf(one);
    await stage.store(ticket, notes);
    await this.#effect(() => disk.processed.add({ source, first, next }));
    const lastTimeNs = one.batch.eventTimeNs(one.batch.length - 1);
    void stage.takeIn(ticket, { source, next, notes, bootTimeUnixNs: Number(BOOT_UNIX_NS), lastTimeNs });
    await this.#effect(acknowledge);
  }
}

/** Runs until the work is done or the process has died; what waits for an effect that never comes is left. */
async function live(disk: Disk, effectsMax: number): Promise<boolean> {
  const life = new Life(disk, effectsMax);
  let done = false;
  void life.run().then(() => {
    done = true;
  });
  while (!done && !life.dead) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

const GIVEN = [
  given(0, [1, 2]),
  given(1, []),
  given(2, [0, 5, 9]),
  given(3, [3]),
  given(4, []),
  given(5, [0, 1, 2, 3, 4]),
];

function idsOf(groups: readonly DetectionGroup[]): string[] {
  return groups.flatMap(({ bytes }) =>
    fromBinary(DetectionBatchSchema, bytes).detections.map(({ eventId }) => eventId),
  );
}

test("cut off after each effect, and again in its second life, it publishes the same in the same order", async (t) => {
  const whole = new Disk(GIVEN);
  t.true(await live(whole, Number.POSITIVE_INFINITY));
  const expected = idsOf(whole.detections);
  t.deepEqual(
    expected.map((id) => Number(id.split(":").at(-1))),
    [20, 33, 52],
  );
  let effects = 0;
  for (let finished = false; !finished; effects++) {
    for (let more = 0; more < 8; more++) {
      const disk = new Disk(GIVEN);
      finished = await live(disk, effects);
      if (!finished) await live(disk, more);
      t.true(await live(disk, Number.POSITIVE_INFINITY), "the last life ends by itself");
      t.deepEqual(disk.events, [], "all is acknowledged");
      // What is published a second time has the same message id, by which the server knows it.
      const once = [...new Map(disk.detections.map((group) => [group.messageId, group])).values()];
      t.deepEqual(idsOf(once), expected, `cut off after ${effects} effects, then after ${more}`);
    }
  }
  t.true(effects > 15);
});

test("what was fired before a restart is not published again", async (t) => {
  const disk = new Disk(GIVEN);
  await live(disk, Number.POSITIVE_INFINITY);
  const published = disk.detections.length;
  await live(disk, Number.POSITIVE_INFINITY);
  t.is(disk.detections.length, published);
});

test("batches without matches cost no message and move the watermark", async (t) => {
  const step = new EveryThird();
  const fail = () => t.fail("nothing is to be written");
  const world = {
    note: async () => fail(),
    publish: async () => fail(),
    fired: { includes: () => false, watermarkUs: 0, advance: () => {}, save: async () => fail() },
    count: () => {},
  };
  const stage = new OrderedStage(world, [step]);
  await stage.rebuild([], new RangeSet());
  const { batch } = given(3, []);
  const ticket = stage.admit();
  await stage.store(ticket, []);
  const range = { source: batch.sourceId, next: 40, notes: [], bootTimeUnixNs: Number(BOOT_UNIX_NS) };
  await stage.takeIn(ticket, { ...range, lastTimeNs: 39_000_000 });
  t.deepEqual(step.watermarks, [0, 1_700_000_000_039_000]);
});

test("ranges are taken in in the order of the stream, however long their evaluation takes", async (t) => {
  const disk = new Disk([]);
  const world = {
    note: async ({ bytes }: Note) => void disk.matches.push(bytes),
    publish: async (group: DetectionGroup) => void disk.detections.push(group),
    fired: { includes: () => false, watermarkUs: 0, advance: () => {}, save: async () => {} },
    count: () => {},
  };
  const stage = new OrderedStage(world, []);
  const [first, second, third] = [given(0, [1]), given(1, [1]), given(2, [1])];
  const tickets = [first, second, third].map((one) => ({ one, ticket: stage.admit() }));
  const work = async ({ one, ticket }: (typeof tickets)[number]) => {
    const notes = notesOf(one);
    await stage.store(ticket, notes);
    const { sourceId: source, nextPosition: next } = one.batch;
    await stage.takeIn(ticket, { source, next, notes, bootTimeUnixNs: 0, lastTimeNs: 0 });
  };
  const [one, two, three] = tickets as [(typeof tickets)[0], (typeof tickets)[0], (typeof tickets)[0]];
  const later = [work(three)];
  stage.withdraw(two.ticket);
  later.push(work(one));
  await Promise.all(later);
  t.deepEqual(
    idsOf(disk.detections).map((id) => Number(id.split(":").at(-1))),
    [1, 21],
  );
  t.is(disk.matches.length, 2);
});

test("a note is read as it was written, and large evidence does not make it too large", async (t) => {
  const { batch } = given(0, []);
  const huge = "y".repeat(2_000_000);
  const rule = { name: "A rule", priority: Priority.CRITICAL, tags: [], place: "a.yaml:1" };
  const matches = Array.from({ length: 100 }, (_, index) => ({
    rule: { ...rule, name: `rule ${index}` },
    eventIndex: Math.floor(index / 60),
    output: huge,
    fields: {},
    values: { "proc.name": "cat" },
  }));
  const { notes, leftOut } = noteMatches(batch, matches, { lastTimeNs: 5_000, contentVersion: "v" });
  t.is(leftOut, 0);
  t.true(notes.every(({ bytes }) => bytes.length < 1024 * 1024));
  t.is(noteMatches(batch, [...matches, ...matches], { lastTimeNs: 5_000, contentVersion: "v" }).leftOut, 56 + 16);
  const taken: Candidate[] = [];
  const step: Step = {
    take(candidates) {
      taken.push(...candidates);
      return [];
    },
  };
  const world = {
    note: async () => {},
    publish: async () => {},
    fired: { includes: () => false, watermarkUs: 0, advance: () => {}, save: async () => {} },
    count: () => {},
  };
  const stage = new OrderedStage(world, [step]);
  const ticket = stage.admit();
  await stage.takeIn(ticket, { source: batch.sourceId, next: 10, notes, bootTimeUnixNs: 0, lastTimeNs: 0 });
  t.is(taken.length, 100);
  const [one] = taken;
  t.deepEqual(one?.fields, { "proc.name": "cat" });
  t.deepEqual(one?.lineage, ["20:99", "1:0"]);
  t.is(one?.timeUs, 1_700_000_000_000_000);
  t.is(one?.priority, Priority.CRITICAL);
  t.is(fromBinary(DetectionSchema, one?.detection ?? new Uint8Array()).rule, "rule 0");
});
