// Indicator lists at the portal: what a look-up says, whom changes are told to, and what a list's next edition does.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { hashOf, readIndicator } from "@nightjar/indicators";
import { Disposition, type Indicator, SensorSchema, type Verdict, VerdictSchema } from "@nightjar/proto";
import test from "ava";
import { CHANGES_KEPT, INDICATORS_PER_IMPORT_MAX } from "./limits.ts";
import type { Portal } from "./portal.ts";
import { clientsOf, freshStateDir, makeTemplate, randomId, remove, startTestPortal } from "./testing.ts";

const { BENIGN, MALICIOUS, SUSPICIOUS, UNKNOWN } = Disposition;
const HOUR_MS = 60 * 60 * 1_000;

let template: string;
let stateDir: string;
let portal: Portal;
let nowMs = Date.now();

const start = () => startTestPortal(stateDir, { clock: () => nowMs });

test.before(async () => {
  template = await makeTemplate();
  stateDir = freshStateDir(template);
  portal = await start();
});

test.after.always(async () => {
  await portal.close();
  remove(stateDir);
  remove(template);
});

/** An indicator that no other test has. */
function anyDomain(): Indicator {
  return readIndicator(`${randomId()}.example`)!;
}

function verdict(indicator: Indicator, fields: Partial<Omit<Verdict, "$typeName" | "indicator">> = {}): Verdict {
  return create(VerdictSchema, { indicator, source: "feed", disposition: MALICIOUS, confidence: 50, ...fields });
}

const intel = () => clientsOf(stateDir).intel;
const importAll = (verdicts: Verdict[], importId = randomId()) => intel().importIndicators({ importId, verdicts });

async function ask(...indicators: Indicator[]): Promise<[Disposition, string][]> {
  const { verdicts } = await intel().lookUp({ indicators });
  return verdicts.map(({ disposition, source }) => [disposition, source]);
}

test.serial("each indicator has an answer, in order; what no list has is unknown", async (t) => {
  const [listed, other] = [anyDomain(), anyDomain()];
  const said = verdict(listed, { description: "C2", labels: ["T1071"], confidence: 90 });
  t.like(await importAll([said]), { added: 1, changed: 0 });
  const { verdicts } = await intel().lookUp({ indicators: [other, listed, other] });
  t.deepEqual(
    verdicts.map(({ disposition }) => disposition),
    [UNKNOWN, MALICIOUS, UNKNOWN],
  );
  t.deepEqual(verdicts[1], said);
  t.deepEqual(verdicts[0]?.indicator, other);
});

test.serial("of several lists a benign entry counts, then the worst, then the surest", async (t) => {
  const domain = anyDomain();
  const steps: [Partial<Omit<Verdict, "$typeName">>, string][] = [
    [{ source: "b", disposition: SUSPICIOUS, confidence: 100 }, "b"],
    [{ source: "c", disposition: MALICIOUS, confidence: 10 }, "c"],
    [{ source: "d", disposition: MALICIOUS, confidence: 20 }, "d"],
    [{ source: "a", disposition: MALICIOUS, confidence: 20 }, "a"],
    [{ source: "own", disposition: BENIGN, confidence: 0 }, "own"],
  ];
  for (const [fields, winner] of steps) {
    await importAll([verdict(domain, fields)]);
    t.is((await ask(domain))[0]?.[1], winner);
  }
});

test.serial("what is over is unknown at once, and gone with the next sweep", async (t) => {
  const domain = anyDomain();
  await importAll([verdict(domain, { source: "ends", expiresAt: timestampFromMs(nowMs + HOUR_MS) })]);
  t.is((await ask(domain))[0]?.[0], MALICIOUS);
  nowMs += HOUR_MS + 1;
  t.is((await ask(domain))[0]?.[0], UNKNOWN);
  const expired = async () => (await intel().listIndicatorSources({})).sources.find(({ name }) => name === "ends");
  t.is((await expired())?.expired, 1n);
  await portal.sweep();
  t.is(await expired(), undefined);
});

test.serial("a change is told to who asks from before it, and to nobody twice", async (t) => {
  const [first, second] = [anyDomain(), anyDomain()];
  await importAll([verdict(first)]);
  const before = (await intel().lookUp({ indicators: [first] })).generation;
  const changes = async (after: bigint) => await intel().listChanges({ after });
  t.like(await changes(before), { hashes: [], generation: before, all: false });
  t.like(await importAll([verdict(first)]), { added: 0, changed: 0, generation: before }, "the same changes nothing");
  await importAll([verdict(first, { confidence: 60 }), verdict(second)]);
  const after = await changes(before);
  t.deepEqual(after.hashes.toSorted(), [hashOf(first), hashOf(second)].toSorted());
  t.like(await changes(after.generation), { hashes: [], all: false });
  await intel().removeIndicators({ source: "feed", indicator: second });
  t.deepEqual((await changes(after.generation)).hashes, [hashOf(second)], "a removal is a change");
  t.deepEqual(await ask(second), [[UNKNOWN, ""]]);
});

test.serial("a later end is no change, an earlier one is", async (t) => {
  const domain = anyDomain();
  const withEnd = (hours: number) => verdict(domain, { expiresAt: timestampFromMs(nowMs + hours * HOUR_MS) });
  await importAll([withEnd(10)]);
  t.like(await importAll([withEnd(20)]), { changed: 0 });
  t.like(await importAll([withEnd(5)]), { changed: 1 });
  nowMs += 6 * HOUR_MS;
  t.like(await importAll([withEnd(10)]), { changed: 1 }, "what was over is there again");
});

test.serial("a heartbeat tells the generation, also after a restart", async (t) => {
  const { generation } = await importAll([verdict(anyDomain())]);
  const beat = async () => {
    const sensor = create(SensorSchema, { id: randomId(), hostName: "host-1" });
    return (await clientsOf(stateDir).sensors.heartbeat({ sensor, intervalSeconds: 10 })).intelGeneration;
  };
  t.is(await beat(), generation);
  await portal.close();
  portal = await start();
  t.is(await beat(), generation);
});

test.serial("the next edition of a list takes the place of the one before, and of no other", async (t) => {
  const [stays, goes, others] = [anyDomain(), anyDomain(), anyDomain()];
  await importAll([verdict(stays, { source: "daily" }), verdict(goes, { source: "daily" })]);
  await importAll([verdict(others, { source: "other" })]);
  const importId = randomId();
  await importAll([verdict(stays, { source: "daily" })], importId);
  t.like(await intel().removeIndicators({ source: "daily", exceptImportId: importId }), { removed: 1n });
  t.deepEqual(await ask(stays, goes, others), [
    [MALICIOUS, "daily"],
    [UNKNOWN, ""],
    [MALICIOUS, "other"],
  ]);
});

test.serial("more changes than are kept: all may have changed", async (t) => {
  const { generation: before } = await importAll([verdict(anyDomain(), { source: "large" })]);
  for (let left = CHANGES_KEPT + 1; left > 0; left -= INDICATORS_PER_IMPORT_MAX) {
    const count = Math.min(left, INDICATORS_PER_IMPORT_MAX);
    await importAll(Array.from({ length: count }, () => verdict(anyDomain(), { source: "large" })));
  }
  t.like(await intel().listChanges({ after: before }), { hashes: [], all: true });
  const { generation } = await importAll([verdict(anyDomain(), { source: "large" })]);
  t.is((await intel().listChanges({ after: generation - 1n })).hashes.length, 1);
  t.true((await intel().listChanges({ after: generation + 1n })).all, "a generation that this portal never gave");
});

test.serial("pages of hashes and of indicators have each once", async (t) => {
  const known = new Set<bigint>();
  let after: Uint8Array = new Uint8Array();
  do {
    const page = await intel().listHashes({ after });
    for (const hash of page.hashes) known.add(hash);
    after = page.next;
  } while (after.length > 0);
  const listed: string[] = [];
  do {
    const page = await intel().listIndicators({ source: "large", after, limit: 1_000 });
    listed.push(...page.indicators.map((one) => one.verdict!.indicator!.value));
    after = page.next;
  } while (after.length > 0);
  t.is(new Set(listed).size, listed.length);
  t.is(listed.length, CHANGES_KEPT + 3);
  t.true(listed.every((value) => known.has(hashOf(readIndicator(value)!))));
});

const domain = anyDomain();
/** [what is wrong, the call] */
const refused: readonly [string, () => Promise<unknown>][] = [
  ["no indicators", () => intel().lookUp({ indicators: [] })],
  ["a NUL", () => intel().lookUp({ indicators: [{ kind: 3, value: "a\0" }] })],
  ["a value that is not in its written form", () => importAll([verdict({ ...domain, value: "EVIL.example" })])],
  ["no disposition", () => importAll([verdict(domain, { disposition: UNKNOWN })])],
  ["an indicator twice", () => importAll([verdict(domain), verdict(domain)])],
  ["two sources", () => importAll([verdict(domain), verdict(anyDomain(), { source: "other" })])],
  ["a confidence beyond 100", () => importAll([verdict(domain, { confidence: 101 })])],
  ["a source that is none", () => intel().removeIndicators({ source: "" })],
  ["a place that is none", () => intel().listIndicators({ after: Buffer.from("[1]") })],
  ["a place of other bytes", () => intel().listHashes({ after: Buffer.from("x") })],
];

for (const [what, call] of refused) {
  test.serial(`refused: ${what}`, async (t) => {
    const error = await t.throwsAsync(call, { instanceOf: ConnectError });
    t.is((error as ConnectError).code, Code.InvalidArgument);
  });
}
