// The portal over its real wire and store: what is sent is there once, in order, also after a restart.
import { readFileSync, statSync } from "node:fs";
import { get } from "node:https";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  HealthIssueSchema,
  HealthSeverity,
  Priority,
  SensorCondition,
  SensorSchema,
  type StoredDetection,
} from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import test from "ava";
import { PortalError } from "./errors.ts";
import type { Portal } from "./portal.ts";
import { clientsOf, detection, freshStateDir, makeTemplate, randomId, remove, startTestPortal } from "./testing.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

let template: string;
let stateDir: string;
let portal: Portal;
let nowMs = Date.now();
let free = Number.MAX_SAFE_INTEGER;

test.before(async () => {
  template = await makeTemplate();
  stateDir = freshStateDir(template);
  portal = await startTestPortal(stateDir, { clock: () => nowMs, freeBytes: () => free });
});

test.after.always(async () => {
  await portal.close();
  remove(stateDir);
  remove(template);
});

/** Each test is a sensor of its own, so that they share one portal. */
function newSensor() {
  const { sensors, queries } = clientsOf(stateDir);
  const sensorId = randomId();
  return {
    sensorId,
    send: (...detections: ReturnType<typeof detection>[]) =>
      sensors.sendDetections({ sensorId, hostName: "host-1", detections }),
    beat: (stages: { stage: string; ready: boolean; healthIssues?: ReturnType<typeof issue>[] }[] = []) =>
      sensors.heartbeat({
        sensor: create(SensorSchema, { id: sensorId, hostName: "host-1", version: "0.1.0" }),
        stages: stages as never,
        intervalSeconds: 10,
      }),
    list: async () => (await queries.listDetections({ sensorId })).detections,
    state: async () => (await queries.listSensors({})).sensors.find((one) => one.sensor?.id === sensorId),
  };
}

function issue(severity: HealthSeverity) {
  return create(HealthIssueSchema, { code: "DISK_FULL", severity });
}

test("a detection sent over gRPC is listed over Connect on HTTP/1.1 as it was", async (t) => {
  const sensor = newSensor();
  const sent = detection({ tags: ["T1003"], fields: { "proc.name": "cat" }, priority: Priority.CRITICAL });
  t.is((await sensor.send(sent)).stored, 1);
  const { queries } = clientsOf(stateDir, { protocol: "connect-1.1" });
  const { detections, more } = await queries.listDetections({ sensorId: sensor.sensorId });
  t.false(more);
  t.deepEqual(
    detections.map((one) => one.detection),
    [sent],
  );
  t.is(detections[0]?.hostName, "host-1");
  t.is(detections[0]?.deliveries, 1);
});

test("a detection sent again is counted; a higher revision takes its place, a lower one does not", async (t) => {
  const sensor = newSensor();
  const first = detection({ revision: 1, output: "one" });
  await sensor.send(first);
  t.is((await sensor.send(first)).stored, 0);
  const [again] = await sensor.list();
  t.is(again?.deliveries, 2);
  await sensor.send({ ...first, revision: 3, output: "three" });
  await sensor.send({ ...first, revision: 2, output: "two" });
  const now = await sensor.list();
  t.deepEqual(
    now.map((one) => [one.detection?.output, one.deliveries]),
    [["three", 1]],
  );
  t.true(now[0]!.cursor > again!.cursor, "a new revision is new to readers");
});

test("revisions in any order come to the same, the last time counts for since", async (t) => {
  const at = (second: number) => timestampFromMs(1_700_000_000_000 + second * 1_000);
  const revision = (count: number) => ({ revision: count, count: BigInt(count), lastTime: at(count) });
  for (const order of [
    [1, 7, 200],
    [200, 1, 7],
    [7, 200, 1],
  ]) {
    const sensor = newSensor();
    const first = detection({ time: at(0) });
    for (const count of order) await sensor.send({ ...first, ...revision(count) });
    const { queries } = clientsOf(stateDir);
    const { detections } = await queries.listDetections({ sensorId: sensor.sensorId, since: at(100) });
    t.deepEqual(
      detections.map((one) => [one.detection?.count, one.detection?.time?.seconds]),
      [[200n, at(0).seconds]],
    );
  }
});

test("one detection several times in one request and in requests at once is stored once", async (t) => {
  const sensor = newSensor();
  const same = detection();
  const answers = await Promise.all([sensor.send(same, same), sensor.send(same), sensor.send(same, detection())]);
  t.is(
    answers.reduce((sum, one) => sum + one.stored, 0),
    2,
  );
  const listed = await sensor.list();
  t.deepEqual(listed.map((one) => one.deliveries).sort(), [1, 4]);
});

test("the same id from another sensor is another detection", async (t) => {
  const [one, other] = [newSensor(), newSensor()];
  const same = detection();
  await one.send(same);
  t.is((await other.send({ ...same, revision: 9 })).stored, 1);
  t.is((await one.list())[0]?.detection?.revision, 0);
});

test("pages go on from their cursor, oldest first", async (t) => {
  const sensor = newSensor();
  const all = Array.from({ length: 120 }, () => detection());
  await sensor.send(...all);
  const { queries } = clientsOf(stateDir);
  const seen: StoredDetection[] = [];
  let page = await queries.listDetections({ sensorId: sensor.sensorId, limit: 50 });
  for (;;) {
    seen.push(...page.detections);
    if (!page.more) break;
    page = await queries.listDetections({ sensorId: sensor.sensorId, limit: 50, after: page.next });
  }
  t.deepEqual(
    seen.map((one) => one.detection?.id),
    all.map((one) => one.id),
  );
});

test("since leaves out what happened before, to the nanosecond", async (t) => {
  const sensor = newSensor();
  const at = (nanos: number) => ({ ...timestampFromMs(1_700_000_000_000), nanos });
  await sensor.send(detection({ time: at(41) }), detection({ time: at(42) }), detection({ time: at(43) }));
  const { queries } = clientsOf(stateDir);
  const { detections } = await queries.listDetections({ sensorId: sensor.sensorId, since: at(42) });
  t.deepEqual(
    detections.map((one) => one.detection?.time?.nanos),
    [42, 43],
  );
});

test("a stream gives what is stored and then each as it comes", async (t) => {
  const sensor = newSensor();
  const before = detection();
  await sensor.send(before);
  const [stored] = await sensor.list();
  const abort = new AbortController();
  const ids = (async function* () {
    const stream = clientsOf(stateDir).queries.streamDetections(
      { after: stored!.cursor - 1n },
      { signal: abort.signal },
    );
    for await (const { detection: one } of stream) if (one?.sensorId === sensor.sensorId) yield one.detection?.id;
  })();
  t.is((await ids.next()).value, before.id);
  for (let round = 0; round < 3; round++) {
    const next = detection();
    const coming = ids.next();
    await sensor.send(next);
    t.is((await coming).value, next.id);
  }
  abort.abort();
  await t.throwsAsync(ids.next(), { instanceOf: ConnectError });
});

test.serial("a sensor is active, unhealthy when a stage says so, silent when two heartbeats are missing", async (t) => {
  const sensor = newSensor();
  await sensor.beat([{ stage: "bus", ready: true }]);
  t.is((await sensor.state())?.condition, SensorCondition.ACTIVE);
  await sensor.beat([{ stage: "bus", ready: true, healthIssues: [issue(HealthSeverity.ERROR)] }]);
  t.is((await sensor.state())?.condition, SensorCondition.UNHEALTHY);
  await sensor.beat([{ stage: "bus", ready: true, healthIssues: [issue(HealthSeverity.WARNING)] }]);
  t.is((await sensor.state())?.condition, SensorCondition.ACTIVE);
  await sensor.beat([{ stage: "bus", ready: false }]);
  t.is((await sensor.state())?.condition, SensorCondition.UNHEALTHY);
  nowMs += 20_000;
  t.is((await sensor.state())?.condition, SensorCondition.UNHEALTHY);
  nowMs += 1_001;
  t.is((await sensor.state())?.condition, SensorCondition.SILENT);
  await sensor.beat([{ stage: "bus", ready: true }]);
  t.is((await sensor.state())?.condition, SensorCondition.ACTIVE);
});

test.serial("what is older than the retention is deleted, what is younger stays", async (t) => {
  const sensor = newSensor();
  await sensor.send(detection());
  nowMs += 29 * DAY_MS;
  await portal.sweep();
  await sensor.send(detection());
  t.is((await sensor.list()).length, 2);
  nowMs += DAY_MS + 1;
  await portal.sweep();
  t.is((await sensor.list()).length, 1);
});

test("requests without the token are refused, on every protocol", async (t) => {
  for (const protocol of ["grpc", "connect-1.1"] as const) {
    for (const token of ["", "wrong"]) {
      const { sensors, queries } = clientsOf(stateDir, { protocol, token });
      const calls = [
        sensors.sendDetections({ sensorId: "a", detections: [detection()] }),
        sensors.heartbeat({}),
        queries.listSensors({}),
        queries.streamDetections({})[Symbol.asyncIterator]().next(),
      ];
      for (const call of calls) {
        const error = await t.throwsAsync(call as Promise<unknown>, { instanceOf: ConnectError });
        t.is(error?.code, Code.Unauthenticated);
      }
    }
  }
});

test("bad requests are refused with the field and what is allowed, and nothing of them is stored", async (t) => {
  const sensor = newSensor();
  const bad: [string, ReturnType<typeof detection>[]][] = [
    ["detections: at least one", []],
    ["detections[1].id: 32 lower-case hex digits", [detection(), detection({ id: "x" })]],
    ["detections[0].rule: a name", [detection({ rule: "" })]],
    ["detections[0].priority: 1 to 8, not 0", [detection({ priority: Priority.UNSPECIFIED })]],
    ["detections[0].priority: 1 to 8, not 77", [detection({ priority: 77 as Priority })]],
    ["detections[0].output: at most 65536 characters, not 65537", [detection({ output: "x".repeat(65_537) })]],
    ["detections[0].size: at most 1048576 bytes encoded", [detection({ fields: { a: "x".repeat(1 << 20) } })]],
    ["detections: at most 1000 entries, not 1001", Array.from({ length: 1_001 }, () => detection())],
  ];
  for (const [message, detections] of bad) {
    const error = await t.throwsAsync(sensor.send(...detections), { instanceOf: ConnectError });
    t.is(error?.code, Code.InvalidArgument);
    t.is(error?.rawMessage, message);
  }
  t.deepEqual(await sensor.list(), []);
  const { queries, sensors } = clientsOf(stateDir);
  const limit = await t.throwsAsync(queries.listDetections({ limit: 1_001 }), { instanceOf: ConnectError });
  t.is(limit?.rawMessage, "limit: 0 to 1000, not 1001");
  const interval = await t.throwsAsync(sensors.heartbeat({ sensor: { id: "a" } }), { instanceOf: ConnectError });
  t.is(interval?.rawMessage, "interval_seconds: 1 to 86400, not 0");
});

test("a second portal on the folder is kept out", async (t) => {
  const error = await t.throwsAsync(startTestPortal(stateDir), { instanceOf: PortalError });
  t.is(error?.code, "PORTAL_ALREADY_RUNNING");
});

test.serial("on a full disk nothing is stored and all is said, and it goes on when there is room", async (t) => {
  const sensor = newSensor();
  free = 1_000;
  t.teardown(() => (free = Number.MAX_SAFE_INTEGER));
  for (const call of [sensor.send(detection()), sensor.beat()]) {
    const error = await t.throwsAsync(call as Promise<unknown>, { instanceOf: ConnectError });
    t.is(error?.code, Code.Unavailable);
    t.regex(error?.message ?? "", /PORTAL_DISK_FULL: .* has 1000 bytes free/);
  }
  t.deepEqual(await sensor.list(), []);
  free = Number.MAX_SAFE_INTEGER;
  t.is((await sensor.send(detection())).stored, 1);
});

test("without room a portal does not start", async (t) => {
  const own = freshStateDir(template);
  t.teardown(() => remove(own));
  await t.throwsAsync(startTestPortal(own, { freeBytes: () => 0 }), { message: /^PORTAL_DISK_FULL/ });
});

test("secrets are readable to their owner alone, and page and healthz need none", async (t) => {
  for (const name of ["token", "private-key.pem"]) {
    t.is(statSync(`${statePaths.folder(stateDir, "portal")}/${name}`).mode & 0o777, 0o600);
  }
  const ca = readFileSync(statePaths.portalCertificate(stateDir));
  const read = (path: string): Promise<[number | undefined, string]> =>
    new Promise((resolve) => {
      get(`${portal.address}${path}`, { ca }, async (response) => {
        resolve([response.statusCode, (await response.toArray()).join("")]);
      });
    });
  t.deepEqual(await read("/healthz"), [200, '{"status":"ok","version":"0.1.0"}\n']);
  const [status, page] = await read("/");
  t.is(status, 200);
  t.regex(page, /<title>Nightjar<\/title>/);
  t.notRegex(page.replace('href="data:,"', ""), /(src|href)=/, "the page loads nothing");
  t.is((await read("/else"))[0], 404);
});

test("a restart keeps address, certificate, detections and the cursor's growth", async (t) => {
  const own = freshStateDir(template);
  let running = await startTestPortal(own);
  t.teardown(async () => {
    await running.close();
    remove(own);
  });
  const { address } = running;
  const certificate = readFileSync(statePaths.portalCertificate(own), "utf8");
  const send = async () => {
    const { sensors, queries } = clientsOf(own);
    await sensors.sendDetections({ sensorId: "s", detections: [detection()] });
    return (await queries.listDetections({})).detections.map((one) => one.cursor);
  };
  const [first] = await send();
  await running.close();
  running = await startTestPortal(own);
  t.is(running.address, address);
  t.is(readFileSync(statePaths.portalCertificate(own), "utf8"), certificate);
  const after = await send();
  t.is(after[0], first);
  t.true(after[1]! > first!);
});
