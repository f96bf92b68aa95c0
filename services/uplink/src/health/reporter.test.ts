// The reporter against the real portal process: what happened while it was away reaches it, once and in full.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type HealthIssue,
  HealthIssueSchema,
  HealthResolution,
  HealthService,
  HealthSeverity,
  StageStatusSchema,
} from "@nightjar/proto";
import { Backoff, resolveSettings } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { Link } from "../link.ts";
import { clientOf, freshFolder, type PortalProcess, remove, startPortalProcess } from "../testing.ts";
import { HealthJournal } from "./journal.ts";
import { runReporter } from "./reporter.ts";

/** Ample: the machine may be busy with other things. */
const TEST_MS_MAX = 180_000;
const WAIT_MS = 60_000;
const NOW_MS = Date.now();

function issue(id: string, fields: Partial<Omit<HealthIssue, "$typeName">> = {}): HealthIssue {
  const now = timestampFromMs(NOW_MS);
  return create(HealthIssueSchema, {
    ...{ id: id.padStart(32, "0"), code: "DISK_FULL", severity: HealthSeverity.ERROR, message: "the disk is full" },
    ...{ count: 1n, stage: "collector", since: now, lastSeen: now },
    ...fields,
  });
}

function status(instance: string, healthIssues: HealthIssue[], pastHealthIssues: HealthIssue[] = []) {
  return [create(StageStatusSchema, { stage: "collector", instance, ready: true, healthIssues, pastHealthIssues })];
}

test("what was resolved while the portal was away, what is refused, and what a stage left that died", async (t) => {
  t.timeout(TEST_MS_MAX);
  const stateDir = freshFolder();
  let portal: PortalProcess = await startPortalProcess(stateDir);
  t.teardown(async () => {
    await portal.kill("SIGKILL");
    remove(stateDir);
  });
  const settings = resolveSettings({}).values;
  const abort = new AbortController();
  const { client } = clientOf(stateDir, settings);
  const quiet = { log: { error() {}, info() {} }, raise() {}, resolve() {}, failed() {} };
  const link = new Link({ ...quiet, clock: () => performance.now() });
  const journal = new HealthJournal({ entries: [], redact: (one) => one, save: () => {}, dropped: () => {} });
  const counts = { failed: 0, refused: 0 };
  const reporting = runReporter(
    {
      journal,
      sensorId: "sensor-1",
      hostName: () => "host-1",
      send: (request) =>
        client.call(HealthService, async (one, options) => void (await one.reportHealth(request, options))),
      backoff: new Backoff({ baseMs: 20, maxMs: 200, jitter: 1, fastWindowMs: WAIT_MS, slowIntervalMs: WAIT_MS }),
      wait: (ms) => link.wait(ms, abort.signal),
      sent: () => link.up(),
      failed: (failure) => {
        counts.failed++;
        link.down(failure);
      },
      refused: (count) => (counts.refused += count),
    },
    abort.signal,
  );
  const told = (what: string) => waitFor(() => journal.pendingCount === 0, { what, timeoutMs: WAIT_MS });
  const stored = async () => {
    const answer = await client.call(HealthService, (one, options) => one.listHealthIssues({}, options));
    return answer.issues.map((one) => [Number.parseInt(one.issue!.id, 16), one.issue!.resolution]);
  };
  const left = issue("1");
  journal.observe(status("a", [left]), NOW_MS);
  await told("the open issue");
  t.deepEqual(await stored(), [[1, HealthResolution.UNSPECIFIED]]);
  await portal.kill("SIGKILL");
  const gone = issue("2", { resolvedAt: timestampFromMs(NOW_MS), resolution: HealthResolution.RESOLVED });
  journal.observe(status("b", [], [gone]), NOW_MS + 1);
  await waitFor(() => counts.failed > 0, { what: "a failed call", timeoutMs: WAIT_MS });
  portal = await startPortalProcess(stateDir);
  await told("what happened meanwhile");
  t.deepEqual((await stored()).sort(), [
    [1, HealthResolution.STAGE_ENDED],
    [2, HealthResolution.RESOLVED],
  ]);
  journal.observe(status("b", [issue("3", { code: "no code" })]), NOW_MS + 2);
  await told("the refused one");
  t.is(counts.refused, 1);
  t.is((await stored()).length, 2);
  abort.abort();
  await reporting;
  client.disconnect();
});
