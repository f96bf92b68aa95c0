// Each indicator is asked for once in a window; a malicious one becomes a detection of the processes that showed it.
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Detection,
  DetectionBatchSchema,
  Disposition,
  IndicatorBatchSchema,
  IndicatorKind,
  Priority,
  VerdictBatchSchema,
  type VerdictSchema,
} from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { PROCESSES_MAX } from "./entry.ts";
import { type IndicatorLimits, Indicators, type IndicatorWorld } from "./indicators.ts";
import { IndicatorStore } from "./store.ts";
import { connect, DIGEST, dns, exec, factsOf } from "./testing.ts";

const MINUTE = 60_000;
const LIMITS: IndicatorLimits = {
  windowMs: 60 * MINUTE,
  keptMs: 24 * 60 * MINUTE,
  entriesMax: 1_000,
  evidenceBytesMax: 1_000_000,
};
const { FILE_SHA256, DOMAIN } = IndicatorKind;
const FILE = { kind: FILE_SHA256, value: DIGEST };
const MALICIOUS = { disposition: Disposition.MALICIOUS, source: "a list", confidence: 90 };

/** Thrown by the world in the place of a crash. */
class Crash extends Error {}

/** The outside of the aggregator; what is in it outlives `start`. */
class World {
  now = 1_000 * MINUTE;
  asked: string[] = [];
  readonly told: Detection[] = [];
  /** How many effects may still happen. */
  effects = Number.POSITIVE_INFINITY;
  readonly #folder: string;
  #store: IndicatorStore | undefined;

  constructor(t: ExecutionContext) {
    this.#folder = `${temporaryFolder(t)}/indicators`;
    t.teardown(() => this.#store?.close());
  }

  /** As a process that comes after the one before. */
  async start(limits: Partial<IndicatorLimits> = {}): Promise<Indicators> {
    await this.#store?.close();
    const { store, entries } = await IndicatorStore.open(this.#folder);
    this.#store = store;
    const world: IndicatorWorld = {
      ask: async (bytes) => {
        this.#effect();
        this.asked.push(...fromBinary(IndicatorBatchSchema, bytes).indicators.map(({ value }) => value));
      },
      tell: async (subject, bytes) => {
        this.#effect();
        for (const one of fromBinary(DetectionBatchSchema, bytes).detections) {
          if (!subject.startsWith("nightjar.detections.")) throw new Error(subject);
          this.told.push(one);
        }
      },
      store: {
        commit: async (changes) => {
          this.#effect();
          await store.commit(changes);
        },
        sightings: (entry) => store.sightings(entry),
      },
      stored: (error) => {
        if (error) throw error;
      },
      now: () => this.now,
    };
    const indicators = new Indicators(world, { ...LIMITS, ...limits }, entries);
    await indicators.resume();
    return indicators;
  }

  #effect(): void {
    if (--this.effects < 0) throw new Crash();
  }
}

const verdictsOf = (...verdicts: MessageInitShape<typeof VerdictSchema>[]) => create(VerdictBatchSchema, { verdicts });

test("an indicator is asked for once in a window, however many show it", async (t) => {
  const world = new World(t);
  const indicators = await world.start();
  await indicators.take(factsOf([exec(20), exec(21), dns(20, "evil.example")]));
  await indicators.take(factsOf([exec(22)], 1_000));
  t.deepEqual(world.asked, [DIGEST, "evil.example"]);
  world.now += LIMITS.windowMs - 1;
  await (await world.start()).take(factsOf([exec(23)], 2_000));
  t.is(world.asked.length, 2, "nor does another process ask before it is over");
  world.now += 1;
  await (await world.start()).take(factsOf([exec(24)], 3_000));
  t.deepEqual(world.asked.slice(2), [DIGEST]);
});

test("a clock that is set back asks anew instead of never", async (t) => {
  const world = new World(t);
  const indicators = await world.start();
  await indicators.take(factsOf([exec(20)]));
  world.now -= 24 * 60 * MINUTE;
  await indicators.take(factsOf([exec(21)], 1_000));
  t.deepEqual(world.asked, [DIGEST, DIGEST]);
});

test("a malicious verdict tells of the processes, however late it comes", async (t) => {
  const world = new World(t);
  await (await world.start()).take(factsOf([exec(20, "/tmp/evil"), exec(21, "/tmp/evil")]));
  world.now += 23 * 60 * MINUTE;
  const verdict = { indicator: FILE, ...MALICIOUS, description: "Mirai", labels: ["attack.t1059.004", "botnet"] };
  await (await world.start()).judge(verdictsOf(verdict));
  t.is(world.told.length, 1);
  const detection = world.told[0] as Detection;
  t.like(detection, { rule: "Malicious file loaded", priority: Priority.CRITICAL, revision: 2, count: 2n });
  t.regex(
    detection.output,
    /p20 \(20\) executed \/tmp\/evil; file cdcd.* is malicious, says a list \(confidence 90\): Mirai/,
  );
  t.deepEqual(
    detection.processes.map(({ pid }) => pid),
    [20, 1],
  );
  t.deepEqual(
    detection.correlated.map(({ output, processes }) => [output, processes.map(({ pid }) => pid)]),
    [["p21 (21) executed /tmp/evil", [21, 1]]],
  );
  t.is(detection.containers[(detection.processes[0]?.container ?? 0) - 1]?.id, "c0");
  t.is(Buffer.from(detection.executables[0]?.sha256 ?? []).toString("hex"), DIGEST);
  t.is(detection.eventId, `${"ab".repeat(16)}:0000000000000007:0`);
  t.is(detection.time?.seconds, 1_700_000_001n);
  t.like(detection.fields, { "threat.indicator.provider": "a list", "threat.indicator.name": DIGEST });
  t.deepEqual(detection.techniques, ["T1059.004"]);
});

test("who shows it later is a revision of the detection, and what says so again is not told again", async (t) => {
  const world = new World(t);
  const indicators = await world.start();
  await indicators.take(factsOf([exec(20)]));
  for (let times = 0; times < 2; times++) await indicators.judge(verdictsOf({ indicator: FILE, ...MALICIOUS }));
  t.is(world.told.length, 1);
  await indicators.take(factsOf([exec(20), exec(21)], 1_000));
  t.deepEqual(
    world.told.map(({ revision }) => revision),
    [1, 2],
  );
  t.is(new Set(world.told.map(({ id }) => id)).size, 1);
});

test("so many processes are told of, the others counted", async (t) => {
  const world = new World(t);
  const indicators = await world.start();
  const pids = Array.from({ length: PROCESSES_MAX + 3 }, (_, at) => 20 + at);
  await indicators.take(factsOf(pids.map((pid) => connect(pid, [203, 0, 113, 9]))));
  await indicators.judge(
    verdictsOf({ indicator: { kind: IndicatorKind.ADDRESS, value: "203.0.113.9" }, ...MALICIOUS, confidence: 10 }),
  );
  t.like(world.told[0], { priority: Priority.WARNING, count: BigInt(PROCESSES_MAX), correlatedOmitted: 3 });
});

for (const disposition of [Disposition.UNKNOWN, Disposition.BENIGN, Disposition.SUSPICIOUS]) {
  test(`a verdict with disposition ${disposition} tells nothing`, async (t) => {
    const world = new World(t);
    const indicators = await world.start();
    await indicators.take(factsOf([exec(20)]));
    await indicators.judge(verdictsOf({ indicator: FILE, disposition }));
    t.is(world.told.length, 0);
  });
}

test("what was shown too long ago is a detection of its own when it comes again", async (t) => {
  const world = new World(t);
  const indicators = await world.start();
  for (const [at, pid] of [20, 21].entries()) {
    await indicators.take(factsOf([exec(pid)], at * 1_000));
    await indicators.judge(verdictsOf({ indicator: FILE, ...MALICIOUS }));
    world.now += LIMITS.keptMs;
  }
  t.is(new Set(world.told.map(({ id }) => id)).size, 2);
  t.deepEqual(
    world.told.map(({ processes }) => processes[0]?.pid),
    [20, 21],
  );
});

test("the oldest go where there are too many, and where their evidence is too large", async (t) => {
  const names = Array.from({ length: 20 }, (_, at) => dns(20 + at, `n${at}.example`));
  for (const limits of [{ entriesMax: 5 }, { evidenceBytesMax: 2_000 }]) {
    const world = new World(t);
    const indicators = await world.start(limits);
    await indicators.take(factsOf(names));
    t.is(indicators.size + indicators.counts.evicted, 20);
    t.true(indicators.size < 20 && indicators.size > 0);
    const again = await world.start(limits);
    t.deepEqual([again.size, again.evidenceBytes], [indicators.size, indicators.evidenceBytes]);
    await again.judge(
      verdictsOf(...[0, 19].map((at) => ({ indicator: { kind: DOMAIN, value: `n${at}.example` }, ...MALICIOUS }))),
    );
    t.is(again.counts.unmatched, 1);
    t.is(world.told.length, 1);
  }
});

test("when the uplink has forgotten what was asked, so does this: the next sight asks anew", async (t) => {
  const world = new World(t);
  const indicators = await world.start();
  await indicators.take(factsOf([exec(20), dns(20, "evil.example"), dns(21, "good.example")]));
  await indicators.judge(verdictsOf({ indicator: { kind: DOMAIN, value: "evil.example" }, ...MALICIOUS }));
  await indicators.judge(create(VerdictBatchSchema, { purged: true }));
  t.is(indicators.size, 1, "what is known to be malicious stays");
  const next = await world.start();
  t.is(next.size, 1);
  world.asked = [];
  await next.take(factsOf([exec(22), dns(22, "evil.example")], 1_000));
  t.deepEqual(world.asked, [DIGEST]);
});

test("cut off after each of its effects, it asks and tells the same", async (t) => {
  const work: ((indicators: Indicators) => Promise<void>)[] = [
    (indicators) => indicators.take(factsOf([exec(20), dns(20, "evil.example")])),
    (indicators) => indicators.judge(verdictsOf({ indicator: FILE, ...MALICIOUS })),
    (indicators) => indicators.take(factsOf([exec(21), exec(22)], 1_000)),
  ];
  for (let effects = 0; effects < 9; effects++) {
    const world = new World(t);
    world.effects = effects;
    let indicators = await world.start();
    for (const each of work) {
      try {
        await each(indicators);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        // What was not acknowledged comes again to the next process.
        world.effects = Number.POSITIVE_INFINITY;
        indicators = await world.start();
        await each(indicators);
      }
    }
    t.deepEqual([...new Set(world.asked)], [DIGEST, "evil.example"], `${effects} effects`);
    const last = world.told.at(-1);
    t.is(last?.revision, 3, `${effects} effects`);
    t.is(new Set(world.told.map(({ id }) => id)).size, 1);
    // The same revision says the same.
    const byRevision = Map.groupBy(world.told, ({ revision }) => revision);
    for (const same of byRevision.values())
      t.is(new Set(same.map(({ output, correlated }) => `${output}${correlated.length}`)).size, 1);
  }
});

test("a disk that takes nothing stops neither the questions nor the work", async (t) => {
  const errors: unknown[] = [];
  const asked: Uint8Array[] = [];
  const indicators = new Indicators(
    {
      ask: async (bytes) => void asked.push(bytes),
      tell: async () => undefined,
      store: { commit: () => Promise.reject(new Error("no space left on device")), sightings: async () => [] },
      stored: (error) => void errors.push(error),
      now: () => 1,
    },
    LIMITS,
    [],
  );
  await indicators.take(factsOf([exec(20)]));
  await indicators.judge(verdictsOf({ indicator: FILE, ...MALICIOUS }));
  t.is(asked.length, 1);
  t.true(errors.length >= 2);
});
