// Health issues and outages at the portal: their whole life, told in any order and twice, and what a silence cost.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type HealthIssue,
  HealthIssueSchema,
  HealthResolution,
  HealthSeverity,
  type OutageReportSchema,
  SensorCondition,
  SensorSchema,
  Visibility,
} from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import type { Portal } from "../portal.ts";
import { clientsOf, freshStateDir, makeTemplate, randomId, remove, startTestPortal } from "../testing.ts";

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
const INTERVAL_S = 10;

let template: string;
let stateDir: string;
let portal: Portal;
let nowMs = Date.now();

test.before(async () => {
  template = await makeTemplate();
  stateDir = freshStateDir(template);
  portal = await startTestPortal(stateDir, { clock: () => nowMs });
});

test.after.always(async () => {
  await portal.close();
  remove(stateDir);
  remove(template);
});

function issue(fields: Partial<Omit<HealthIssue, "$typeName">> = {}): HealthIssue {
  const now = timestampFromMs(nowMs);
  const stage = "collector";
  const times = { since: now, lastSeen: now };
  const said = { code: "DISK_FULL", severity: HealthSeverity.ERROR, message: "the disk is full", count: 1n };
  return create(HealthIssueSchema, { id: randomId(), revision: 1n, stage, ...said, ...times, ...fields });
}

function resolved(one: HealthIssue): HealthIssue {
  const resolvedAt = timestampFromMs(nowMs);
  return { ...one, revision: one.revision + 1n, resolvedAt, resolution: HealthResolution.RESOLVED };
}

/** Each test is a sensor of its own, so that they share one portal. */
function newSensor() {
  const { sensors, queries, health } = clientsOf(stateDir);
  const sensorId = randomId();
  const from = { sensorId, hostName: "host-1" };
  return {
    sensorId,
    health,
    report: (...issues: HealthIssue[]) => health.reportHealth({ ...from, issues }),
    complete: (openIds: string[], ...issues: HealthIssue[]) =>
      health.reportHealth({ ...from, issues, openIds, isComplete: true }),
    list: async (onlyOpen = false) => (await health.listHealthIssues({ sensorId, onlyOpen })).issues,
    outages: async () => (await health.listOutages({ sensorId })).outages,
    beat: (outageReport: MessageInitShape<typeof OutageReportSchema> = {}, isStopping = false) =>
      sensors.heartbeat({
        sensor: create(SensorSchema, { id: sensorId, hostName: "host-1", version: "0.1.0" }),
        intervalSeconds: INTERVAL_S,
        outageReport,
        isStopping,
        visibility: Visibility.FULL,
        configuration: { settings: { "uplink.heartbeat_interval_s": "10" }, contentVersion: "abc" },
      }),
    state: async () => (await queries.listSensors({})).sensors.find((one) => one.sensor?.id === sensorId),
  };
}

test("an issue is open until it is resolved, and stays in the history", async (t) => {
  const sensor = newSensor();
  const open = issue();
  await sensor.report(open);
  const [stored] = await sensor.list(true);
  t.deepEqual([stored?.issue, stored?.hostName], [open, "host-1"]);
  await sensor.report(resolved(open));
  t.deepEqual(await sensor.list(true), []);
  const [past] = await sensor.list();
  t.is(past?.issue?.resolution, HealthResolution.RESOLVED);
  t.true(past!.cursor > stored!.cursor, "a change is new to readers");
});

test("revisions in any order and again come to the highest one", async (t) => {
  const sensor = newSensor();
  const open = issue();
  await sensor.report(resolved(open), open);
  await sensor.report(open);
  t.deepEqual(await sensor.list(true), []);
  const [before] = await sensor.list();
  await sensor.report(resolved(open));
  t.is((await sensor.list())[0]?.cursor, before?.cursor, "what is known already is no change");
});

test("a complete report ends what it does not name, and opens again what the portal had ended", async (t) => {
  const sensor = newSensor();
  const [left, kept] = [issue(), issue()];
  await sensor.report(left, kept);
  await sensor.complete([kept.id]);
  const one = (await sensor.list()).find((stored) => stored.issue?.id === left.id);
  t.is(one?.issue?.resolution, HealthResolution.NOT_REPORTED);
  t.deepEqual(
    (await sensor.list(true)).map((stored) => stored.issue?.id),
    [kept.id],
  );
  await sensor.complete([left.id, kept.id]);
  t.is((await sensor.list(true)).length, 2);
  const other = newSensor();
  await other.complete([]);
  t.is((await sensor.list(true)).length, 2, "another sensor's are no concern of its report");
});

test.serial("what is open of a sensor that is silent for a day is ended, until it speaks again", async (t) => {
  const sensor = newSensor();
  const open = issue();
  await sensor.beat();
  await sensor.report(open);
  nowMs += DAY_MS - HOUR_MS;
  await portal.sweep();
  t.is((await sensor.list(true)).length, 1);
  nowMs += HOUR_MS + 1;
  await portal.sweep();
  t.deepEqual(
    (await sensor.list()).map((stored) => stored.issue?.resolution),
    [HealthResolution.SENSOR_SILENT],
  );
  await sensor.complete([open.id]);
  t.is((await sensor.list(true)).length, 1);
});

test.serial("what ended is deleted after the retention, what is open stays", async (t) => {
  const sensor = newSensor();
  const [over, goesOn] = [issue(), issue()];
  await sensor.report(resolved(over), goesOn);
  nowMs += 30 * DAY_MS;
  await sensor.beat();
  await portal.sweep();
  t.is((await sensor.list()).length, 2);
  nowMs += 1;
  await portal.sweep();
  t.deepEqual(
    (await sensor.list()).map((stored) => stored.issue?.id),
    [goesOn.id],
  );
});

test("since leaves out what was over before", async (t) => {
  const sensor = newSensor();
  await sensor.report(resolved(issue()), issue());
  const { health, sensorId } = sensor;
  const at = async (ms: number) =>
    (await health.listHealthIssues({ sensorId, since: timestampFromMs(ms) })).issues.length;
  t.deepEqual([await at(nowMs), await at(nowMs + 1)], [2, 1]);
});

test("a stream gives what is stored and then each change as it comes", async (t) => {
  const sensor = newSensor();
  const open = issue();
  await sensor.report(open);
  const abort = new AbortController();
  const request = { sensorId: sensor.sensorId };
  const stream = sensor.health.streamHealthIssues(request, { signal: abort.signal })[Symbol.asyncIterator]();
  const next = async () => (await stream.next()).value.issue.issue;
  t.is((await next()).id, open.id);
  const coming = next();
  await sensor.report(resolved(open));
  t.is((await coming).resolution, HealthResolution.RESOLVED);
  abort.abort();
  await t.throwsAsync(stream.next(), { instanceOf: ConnectError });
});

test.serial("a silence is an outage: going on, then over with what the sensor tells of it", async (t) => {
  const sensor = newSensor();
  await sensor.beat();
  const fromMs = nowMs;
  nowMs += 21_000;
  t.deepEqual(await sensor.outages(), [], "two intervals and a second are patience");
  nowMs += 1;
  const [goesOn] = await sensor.outages();
  t.deepEqual([timestampMs(goesOn!.from!), goesOn!.until, goesOn!.hostName], [fromMs, undefined, "host-1"]);
  nowMs += HOUR_MS;
  await sensor.beat({
    reason: "dns error",
    detectionsKept: 7n,
    givenUp: { detections_stale: 3n },
    eventsDropped: { ring_full: 5n },
  });
  const [over, ...others] = await sensor.outages();
  t.deepEqual(others, []);
  t.deepEqual([timestampMs(over!.from!), timestampMs(over!.until!)], [fromMs, nowMs]);
  t.deepEqual(
    [over?.report?.reason, over?.report?.detectionsKept, over?.report?.givenUp, over?.report?.eventsDropped],
    ["dns error", 7n, { detections_stale: 3n }, { ring_full: 5n }],
  );
  await sensor.beat({ detectionsKept: 9n });
  t.is((await sensor.outages()).length, 1, "the next heartbeat is no outage");
});

test.serial("a heartbeat that came late told of less than the next, which tells since the same moment", async (t) => {
  const sensor = newSensor();
  await sensor.beat();
  const since = timestampFromMs(nowMs);
  nowMs += HOUR_MS;
  await sensor.beat({ since, detectionsKept: 1n });
  await sensor.beat({ since, detectionsKept: 5n, reason: "Connection Failed: timed out" });
  await sensor.beat({ since: timestampFromMs(nowMs), detectionsKept: 0n });
  const reports = async () => (await sensor.outages()).map(({ report }) => [report?.detectionsKept, report?.reason]);
  t.deepEqual(await reports(), [[5n, "Connection Failed: timed out"]]);
  nowMs += HOUR_MS;
  await sensor.beat({ since, detectionsKept: 9n });
  const both = [
    [9n, ""],
    [5n, "Connection Failed: timed out"],
  ];
  t.deepEqual(await reports(), both, "another silence is another outage");
});

test.serial("a sensor that says that it stops is disabled, not silent; what it did not watch is told", async (t) => {
  const sensor = newSensor();
  await sensor.beat();
  await sensor.beat({}, true);
  nowMs += DAY_MS;
  t.is((await sensor.state())?.condition, SensorCondition.DISABLED);
  t.true((await sensor.outages())[0]?.wasStopped);
  const blind = [{ from: timestampFromMs(nowMs - DAY_MS), until: timestampFromMs(nowMs) }];
  await sensor.beat({ blind });
  const state = await sensor.state();
  t.is(state?.condition, SensorCondition.ACTIVE);
  t.deepEqual([state?.visibility, state?.configuration?.contentVersion], [Visibility.FULL, "abc"]);
  const [over] = await sensor.outages();
  t.true(over?.wasStopped);
  t.is(over?.report?.blind.length, 1);
  const since = timestampFromMs(nowMs);
  for (let again = 0; again < 2; again++) await sensor.beat({ since, blind });
  t.is((await sensor.outages()).length, 2, "what was not watched is told by itself, and once");
});

test.serial("outages are deleted after the retention", async (t) => {
  const sensor = newSensor();
  await sensor.beat();
  nowMs += HOUR_MS;
  await sensor.beat();
  nowMs += 30 * DAY_MS;
  await sensor.beat();
  await portal.sweep();
  t.is((await sensor.outages()).length, 2);
  nowMs += 1;
  await portal.sweep();
  t.is((await sensor.outages()).length, 1);
});

test("bad reports are refused with the field and what is allowed, and nothing of them is stored", async (t) => {
  const sensor = newSensor();
  const bad: [string, HealthIssue][] = [
    ["issues[1].id: 32 lower-case hex digits", issue({ id: "x" })],
    ["issues[1].code: 1 to 64 of upper-case letters, digits and _", issue({ code: "disk full" })],
    ["issues[1].severity: a warning or an error", issue({ severity: 0 })],
    ["issues[1].message: at most 4096 characters, not 4097", issue({ message: "x".repeat(4_097) })],
    ["issues[1].resolution: one when it is resolved", issue({ resolution: HealthResolution.RESOLVED })],
    ["issues[1].revision: more than 0", issue({ revision: 0n })],
  ];
  for (const [message, one] of bad) {
    const error = await t.throwsAsync(sensor.report(issue(), one), { instanceOf: ConnectError });
    t.deepEqual([error?.code, error?.rawMessage], [Code.InvalidArgument, message]);
  }
  t.deepEqual(await sensor.list(), []);
});

test("many issues are listed page by page", async (t) => {
  const sensor = newSensor();
  for (let round = 0; round < 6; round++) await sensor.report(...Array.from({ length: 50 }, () => issue()));
  const seen = new Set<string>();
  let after = 0n;
  await waitFor(
    async () => {
      const page = await sensor.health.listHealthIssues({ sensorId: sensor.sensorId, after, limit: 70 });
      for (const one of page.issues) seen.add(one.issue!.id);
      after = page.next;
      return !page.more;
    },
    { what: "the last page" },
  );
  t.is(seen.size, 300);
});
