// Several portals on one PostgreSQL server: what one stores the others show, and one that is killed loses nothing.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { hashOf, readIndicator } from "@nightjar/indicators";
import { Disposition, HealthSeverity, VerdictSchema } from "@nightjar/proto";
import { startPostgres, startProcess, waitFor, whyNoPostgres } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { PortalError } from "./errors.ts";
import { migrations } from "./migrations.ts";
import { openPostgres } from "./postgres.ts";
import { clientsOf, detection, freshStateDir, remove, startTestPortal } from "./testing.ts";

const WAIT_MS = 60_000;
const SENDERS = 4;
const ROUNDS = 40;
const PER_ROUND = 5;

const reason = whyNoPostgres();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const why = reason ? ` (${reason})` : "";

function folderOf(t: ExecutionContext): string {
  const stateDir = freshStateDir();
  t.teardown(() => remove(stateDir));
  return stateDir;
}

async function portalOn(t: ExecutionContext, url: string) {
  const stateDir = folderOf(t);
  const portal = await startTestPortal(stateDir, { database: { url, connections: 4 } });
  t.teardown(() => portal.close());
  return clientsOf(stateDir);
}

test(`portals that start together make one store, and each shows what the others stored${why}`, async (t) => {
  t.timeout(WAIT_MS * 2);
  const { url } = await startPostgres(t);
  const [left, right] = await Promise.all([portalOn(t, url), portalOn(t, url)]);
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { detection: stored } of right.queries.streamDetections({}, { signal: abort.signal })) {
      seen.push(stored?.detection?.id ?? "");
    }
  })().catch(() => undefined);
  const detections = Array.from({ length: 50 }, () => detection());
  const send = (to: typeof left) => to.sensors.sendDetections({ sensorId: "s", hostName: "h", detections });
  const answers = await Promise.all([send(left), send(right), send(left)]);
  t.is(
    answers.reduce((sum, { stored }) => sum + stored, 0),
    detections.length,
    "each was new once",
  );
  await waitFor(() => seen.length >= detections.length, { what: "the stream has them", timeoutMs: WAIT_MS });
  t.deepEqual(seen.toSorted(), detections.map(({ id }) => id).toSorted());
  const [one] = (await left.queries.listDetections({ idPrefix: detections[0]?.id ?? "" })).detections;
  t.is(one?.deliveries, answers.length);
  await left.sensors.heartbeat({ sensor: { id: "s", hostName: "h" }, intervalSeconds: 10 });
  t.is((await right.queries.listSensors({})).sensors[0]?.sensor?.id, "s");
  abort.abort();
  await reading;
});

test(`health: what one portal is told the other shows and streams, and takes for no outage${why}`, async (t) => {
  t.timeout(WAIT_MS * 2);
  const { url } = await startPostgres(t);
  const [left, right] = await Promise.all([portalOn(t, url), portalOn(t, url)]);
  const stream = right.health.streamHealthIssues({})[Symbol.asyncIterator]();
  const coming = stream.next();
  const now = timestampFromMs(Date.now());
  const said = { code: "DISK_FULL", stage: "bus", severity: HealthSeverity.ERROR, message: "full", count: 1n };
  const issue = { id: "ab".repeat(16), revision: 1n, since: now, lastSeen: now, ...said };
  await left.health.reportHealth({ sensorId: "s", hostName: "h", issues: [issue] });
  t.is((await coming).value?.issue?.issue?.id, issue.id);
  t.is((await right.health.listHealthIssues({ onlyOpen: true })).issues.length, 1);
  await left.health.reportHealth({ sensorId: "s", hostName: "h", isComplete: true });
  t.is((await right.health.listHealthIssues({ onlyOpen: true })).issues.length, 0);
  const beat = { sensor: { id: "s", hostName: "h" }, intervalSeconds: 10 };
  for (const { sensors } of [left, right]) await sensors.heartbeat(beat);
  t.deepEqual((await right.health.listOutages({})).outages, []);
  const blind = [{ from: now, until: now }];
  await right.sensors.heartbeat({ ...beat, outageReport: { reason: "dns error", blind } });
  t.is((await left.health.listOutages({})).outages[0]?.report?.reason, "dns error");
});

test(`a portal that is killed while it stores leaves what it answered, each once${why}`, async (t) => {
  t.timeout(WAIT_MS * 3);
  const { url } = await startPostgres(t);
  const survivor = await portalOn(t, url);
  const stateDir = folderOf(t);
  const env = { NIGHTJAR_STATE_DIR: stateDir, NIGHTJAR_PORTAL_DATABASE_URL: url };
  const program = new URL("./main.ts", import.meta.url).pathname;
  const victim = startProcess(t, process.execPath, [program], { env });
  await waitFor(() => victim.stderr.includes("portal is ready"), {
    what: "the portal is ready",
    timeoutMs: WAIT_MS,
    explain: () => victim.stderr,
  });
  t.false(victim.stderr.includes(url), "the database's address is not logged");
  const clients = clientsOf(stateDir);
  const sent: string[] = [];
  let rounds = 0;
  // Each sender stays with what it has until somebody took it: first the one, then, since it is gone, the other.
  const senders = Array.from({ length: SENDERS }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const detections = Array.from({ length: PER_ROUND }, () => detection());
      const request = { sensorId: "s", hostName: "h", detections };
      await clients.sensors.sendDetections(request).catch(() => survivor.sensors.sendDetections(request));
      sent.push(...detections.map(({ id }) => id));
      if (++rounds === (SENDERS * ROUNDS) / 2) process.kill(victim.pid, "SIGKILL");
    }
  });
  await Promise.all(senders);
  await victim.exited;
  const stored: string[] = [];
  for (let after = 0n, more = true; more; ) {
    const page = await survivor.queries.listDetections({ after, limit: 1_000 });
    stored.push(...page.detections.map((one) => one.detection?.id ?? ""));
    ({ next: after, more } = page);
  }
  t.is(sent.length, SENDERS * ROUNDS * PER_ROUND);
  t.deepEqual(stored.toSorted(), sent.toSorted());
});

test(`a server that restarts is asked again, and one that is not there is an error with a code${why}`, async (t) => {
  t.timeout(WAIT_MS * 2);
  const { url, process: server } = await startPostgres(t);
  const warnings: string[] = [];
  const database = await openPostgres({ url, connections: 2, warn: (message) => warnings.push(message) });
  await t.throwsAsync(database.query("SELEC 1"), { message: /syntax error/ });
  const failing = database.transaction(async (queries) => {
    await queries.query("CREATE TABLE gone (x integer)");
    throw new Error("no");
  });
  await t.throwsAsync(failing, { message: "no" });
  t.deepEqual(await database.query("SELECT to_regclass('gone') AS is"), [{ is: null }]);
  let heard = 0;
  await database.listen("topic", () => heard++);
  await database.query("NOTIFY topic");
  await waitFor(() => heard === 1, { what: "a notification" });
  await database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'");
  await waitFor(() => heard === 2, { what: "it listens again and looks for what it missed" });
  t.is(warnings.length, 1);
  await database.close();
  await server.stop();
  const refused = startTestPortal(folderOf(t), { database: { url, connections: 2 } });
  const error = await t.throwsAsync(refused, { instanceOf: PortalError });
  t.is((error as PortalError).code, "PORTAL_DATABASE");
});

test(`a store that a newer portal made is left alone${why}`, async (t) => {
  t.timeout(WAIT_MS);
  const { url } = await startPostgres(t);
  await portalOn(t, url);
  const database = await openPostgres({ url, connections: 2, warn: () => undefined });
  t.teardown(() => database.close());
  await database.query("INSERT INTO schema_migrations VALUES ($1)", [migrations.length + 1]);
  await t.throwsAsync(portalOn(t, url), { message: /made by a newer one/ });
});

test(`lists that two portals take in at once are one store, whose changes each of them tells${why}`, async (t) => {
  t.timeout(WAIT_MS * 2);
  const { url } = await startPostgres(t);
  const [left, right] = await Promise.all([portalOn(t, url), portalOn(t, url)]);
  const indicators = Array.from({ length: ROUNDS }, (_, at) => readIndicator(`host-${at}.example`)!);
  const expiresAt = timestampFromMs(Date.now() + WAIT_MS * 60);
  const importAs = (portal: typeof left, source: string) =>
    portal.intel.importIndicators({
      importId: source,
      verdicts: indicators.map((indicator) =>
        create(VerdictSchema, { indicator, source, disposition: Disposition.MALICIOUS, confidence: 50, expiresAt }),
      ),
    });
  const answers = await Promise.all([importAs(left, "a"), importAs(right, "a"), importAs(left, "b")]);
  t.is(
    answers.reduce((sum, { added }) => sum + added, 0),
    2 * indicators.length,
    "each was new once to each list",
  );
  const hashes = indicators.map(hashOf).toSorted();
  for (const portal of [left, right]) {
    const changes = await portal.intel.listChanges({ after: 0n });
    t.deepEqual([changes.hashes.toSorted(), changes.generation], [hashes, 2n]);
    t.deepEqual((await portal.intel.listHashes({})).hashes.toSorted(), hashes);
    const { verdicts } = await portal.intel.lookUp({ indicators });
    t.true(verdicts.every(({ disposition, source }) => disposition === Disposition.MALICIOUS && source === "a"));
  }
  t.is((await right.intel.removeIndicators({ source: "a" })).removed, BigInt(indicators.length));
  t.is((await left.intel.listIndicatorSources({})).sources.length, 1);
});
