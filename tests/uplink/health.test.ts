// Health over the whole way: a stage's issues through outages and deaths to the portal, and to `nightjar health`.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  DropReason,
  type HealthIssue,
  HealthIssueSchema,
  HealthResolution,
  HealthSeverity,
  LedgerEntrySchema,
  StageStatusSchema,
} from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import { startProcess, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { startBus } from "../harness/bus.ts";

const program = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const [UPLINK, PORTAL, CLI] = ["services/uplink/src/main.ts", "services/portal/src/main.ts", "cli/src/main.ts"].map(
  program,
) as [string, string, string];
/** Ample: the machine may be busy with other things. */
const TEST_MS_MAX = 240_000;
const WAIT = { timeoutMs: 60_000, intervalMs: 100 };
/** The portal calls a sensor with a heartbeat a second silent after three. */
const SILENT_MS = 3_000;
const ENV = { NIGHTJAR_UPLINK_HEARTBEAT_INTERVAL_S: "1", NIGHTJAR_UPLINK_RETRY_MAX_MS: "400" };

/** What the collector would say of itself, were it one. */
class FakeCollector {
  instance = "a";
  open: HealthIssue[] = [];
  past: HealthIssue[] = [];
  dropped = 0n;

  raise(code: string): HealthIssue {
    const now = timestampFromMs(Date.now());
    const issue = create(HealthIssueSchema, {
      ...{ id: `${this.open.length + this.past.length + 1}`.padStart(32, "0"), code, severity: HealthSeverity.ERROR },
      ...{ message: `about ${code}`, stage: "collector", count: 1n, since: now, lastSeen: now },
    });
    this.open.push(issue);
    return issue;
  }

  resolve(issue: HealthIssue): void {
    this.open = this.open.filter((one) => one !== issue);
    const end = { resolvedAt: timestampFromMs(Date.now()), resolution: HealthResolution.RESOLVED };
    this.past.push({ ...issue, ...end });
  }

  status(): Uint8Array {
    const drops = [{ reason: DropReason.RING_FULL, count: this.dropped }];
    const said = create(StageStatusSchema, {
      ...{ stage: "collector", version: "0", pid: 1, ready: true, instance: this.instance },
      ...{ healthIssues: this.open, pastHealthIssues: this.past, facts: { source: "boot:1" } },
      ledger: [create(LedgerEntrySchema, { type: 1, seen: this.dropped, drops })],
    });
    return toBinary(StageStatusSchema, said);
  }
}

interface Told {
  type: string;
  code: string;
  state: string;
  resolution: string;
  condition: string;
  is_over: boolean;
  report?: { reason: string; events_dropped?: Record<string, string> };
}

async function startHost(t: ExecutionContext) {
  const bus = await startBus(t);
  const { stateDir } = bus;
  const collector = new FakeCollector();
  const connection = await bus.connect("collector");
  connection.subscribe("nightjar.ask.status", { callback: (_, message) => void message.respond(collector.status()) });
  const startPortal = async () => {
    const portal = startProcess(t, process.execPath, [PORTAL], { env: { NIGHTJAR_STATE_DIR: stateDir } });
    await portal.line(/"message":"portal is ready"/, { timeoutMs: WAIT.timeoutMs });
    return portal;
  };
  /** What `nightjar health --json` prints, of the collector where it is about an issue. */
  const health = async (...args: string[]): Promise<Told[]> => {
    const asked = startProcess(t, process.execPath, [CLI, "health", "--state-dir", stateDir, "--json", ...args]);
    await asked.exited;
    const lines = asked.stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line)).filter(({ type, stage }) => type !== "issue" || stage === "collector");
  };
  const told = (what: string, holds: (all: Told[]) => boolean) =>
    waitFor(async () => holds(await health()), { what, ...WAIT, explain: async () => JSON.stringify(await health()) });
  return { bus, collector, stateDir, startPortal, startUplink: () => bus.startStage(UPLINK, ENV), health, told };
}

test("issues of an outage and of stages that died are told in full, and what the outage cost", async (t) => {
  t.timeout(TEST_MS_MAX);
  const { bus, collector, stateDir, startPortal, startUplink, health, told } = await startHost(t);
  let portal = await startPortal();
  let uplink = startUplink();
  const left = collector.raise("PROBE_PARTIAL");
  await told("the open issue", (all) => all.some(({ code, state }) => code === left.code && state === "open"));

  portal.signal("SIGKILL");
  await portal.exited;
  const silentSinceMs = Date.now();
  const brief = collector.raise("EVENTS_DROPPED");
  collector.dropped = 7n;
  collector.resolve(brief);
  const journal = join(statePaths.folder(stateDir, "uplink"), "health.json");
  const account = join(statePaths.folder(stateDir, "uplink"), "account.json");
  const holds = (file: string, text: string) => existsSync(file) && readFileSync(file, "utf8").includes(text);
  await waitFor(() => holds(journal, brief.code) && holds(account, '"ring_full":7'), {
    what: "both are kept",
    ...WAIT,
  });
  uplink.signal("SIGKILL");
  await uplink.exited;
  // Nobody but the journal knows of it now, and the process that had the other issue is gone.
  collector.past = [];
  collector.open = [];
  collector.instance = "b";
  const without = await health();
  t.deepEqual(without, [], "without portal, only what stages say now");
  uplink = startUplink();
  await waitFor(() => Date.now() - silentSinceMs > SILENT_MS, { what: "the silence is one", ...WAIT });
  portal = await startPortal();

  const byCode = (all: Told[], wanted: string) => all.find(({ code }) => code === wanted);
  await told("what happened meanwhile", (all) => byCode(all, brief.code)?.resolution === "resolved");
  await told("the end of what was left", (all) => byCode(all, left.code)?.resolution === "stage_ended");
  await told("the outage", (all) => all.some(({ type }) => type === "outage"));
  const outage = (await health()).find(({ type }) => type === "outage");
  t.true(outage?.is_over);
  t.regex(outage?.report?.reason ?? "", /^Connection Failed|^the portal is not there yet/);
  t.deepEqual(outage?.report?.events_dropped, { ring_full: "7" });
  const shown = startProcess(t, process.execPath, [CLI, "health", "--state-dir", stateDir]);
  await shown.exited;
  t.regex(
    shown.stdout,
    /unheard from .* until .*\n {4}because: .*\n {4}0 detections kept\n {4}events dropped: 7 ring_full/,
  );

  const follows = startProcess(t, process.execPath, [CLI, "health", "--state-dir", stateDir, "--follow", "--json"]);
  const late = collector.raise("PROBE_UNPINNED");
  await follows.line(/"state":"open".*"code":"PROBE_UNPINNED"/, { timeoutMs: WAIT.timeoutMs });
  collector.resolve(late);
  await follows.line(/"state":"resolved".*"code":"PROBE_UNPINNED"/, { timeoutMs: WAIT.timeoutMs });

  uplink.signal("SIGTERM");
  await uplink.exited;
  t.is((await health()).find(({ type }) => type === "sensor")?.condition, "disabled");
  await bus.process.stop();
});
