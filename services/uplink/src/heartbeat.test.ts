// What a heartbeat tells of the sensor, and what it does with a portal that does not answer.
import { create } from "@bufbuild/protobuf";
import { HealthIssueSchema, type HeartbeatRequest, SensorSchema, StageStatusSchema, Visibility } from "@nightjar/proto";
import { Backoff, resolveSettings } from "@nightjar/stage";
import test from "ava";
import { describeConfiguration } from "./configuration.ts";
import { PortalFailure } from "./failure.ts";
import { OutageAccount } from "./health/account.ts";
import { SilentStages } from "./health/silent-stages.ts";
import { type HeartbeatOptions, runHeartbeat } from "./heartbeat.ts";
import { visibilityOf } from "./visibility.ts";

const NOW_MS = 1_800_000_000_000;
const STAGES = ["collector", "enricher", "rule-engine"];

function status(stage: string, code = "", fields: { ready?: boolean; facts?: Record<string, string> } = {}) {
  const healthIssues = code === "" ? [] : [create(HealthIssueSchema, { code })];
  return create(StageStatusSchema, { stage, ready: true, healthIssues, ...fields });
}

/** Runs heartbeats until `answers` are used up; each is what the portal answers, undefined for well. */
async function beats(answers: (PortalFailure | undefined)[], fields: Partial<HeartbeatOptions> = {}) {
  const sent: HeartbeatRequest[] = [];
  const waits: number[] = [];
  const abort = new AbortController();
  await runHeartbeat(
    {
      ...{ intervalS: 10, stageNames: STAGES, waiting: () => 3, account: new OutageAccount(), clock: () => NOW_MS },
      sensor: () => create(SensorSchema, { id: "s" }),
      askStatuses: async () => [status("collector")],
      configuration: () => describeConfiguration(resolveSettings({}).values, {}, []),
      backoff: new Backoff({ baseMs: 1_000, maxMs: 60_000, jitter: 0, fastWindowMs: 60_000, slowIntervalMs: 60_000 }),
      send: async (request) => {
        sent.push(request);
        const answer = answers.shift();
        if (answers.length === 0) setImmediate(() => abort.abort());
        if (answer) throw answer;
      },
      wait: async (ms) => {
        waits.push(ms);
        await new Promise((resolve) => setImmediate(resolve));
      },
      sent: () => {},
      failed: () => {},
      ...fields,
    },
    abort.signal,
  );
  return { sent, waits };
}

test("stages that do not answer are told as such, beside those that do", async (t) => {
  const { sent } = await beats([undefined]);
  t.deepEqual(
    sent[0]?.stages.map(({ stage, ready, summary }) => [stage, ready, summary]),
    [
      ["collector", true, ""],
      ["enricher", false, "does not answer"],
      ["rule-engine", false, "does not answer"],
    ],
  );
  t.is(sent[0]?.visibility, Visibility.NONE);
});

test("failures are waited out, never for longer than the interval; then their reason is told", async (t) => {
  const failure = new PortalFailure("dns", "dns error", "ENOTFOUND");
  const failures = Array.from({ length: 6 }, () => failure);
  const { sent, waits } = await beats([undefined, ...failures, undefined]);
  t.deepEqual(waits.slice(0, 7), [10_000, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  t.deepEqual([sent.at(0)?.outageReport?.reason, sent.at(-1)?.outageReport?.reason], ["", "dns error"]);
  t.is(sent.at(-1)?.outageReport?.detectionsKept, 3n);
});

test("how much is seen goes by what is there and by what the issues say", (t) => {
  const all = STAGES.map((stage) => status(stage));
  const table: [ReturnType<typeof status>[], Visibility][] = [
    [all, Visibility.FULL],
    [[...all, status("uplink", "PORTAL_UNREACHABLE")], Visibility.FULL],
    [[...all, status("bus", "STREAM_FULL")], Visibility.REDUCED],
    [[...all.slice(1), status("collector", "PROBE_PARTIAL")], Visibility.REDUCED],
    [[...all, status("collector", "GOVERNOR_READS")], Visibility.REDUCED],
    [[...all.slice(0, 2), status("rule-engine", "RULES_NONE")], Visibility.NONE],
    [all.slice(1), Visibility.NONE],
    [[...all.slice(1), status("collector", "", { ready: false })], Visibility.NONE],
  ];
  for (const [statuses, visibility] of table) t.is(visibilityOf(statuses), visibility);
});

test("the configuration: changed settings, where programs are attached, the proxy without its password", (t) => {
  const { values } = resolveSettings({ flags: { "--uplink-portal-url": "https://portal.test" } });
  const facts = {
    "attachment.exec": "tp_btf/sched_process_exec",
    "attachment.exit": "tp_btf/sched_process_exit",
    "attachment.bpf": "refused: EPERM",
  };
  const statuses = [
    status("collector", "", { facts }),
    status("rule-engine", "", { facts: { content_version: "c1" } }),
  ];
  const env = { https_proxy: "http://eve:hunter2@proxy.test:3128/" };
  const told = describeConfiguration(values, env, statuses);
  t.deepEqual(
    [told.settings, told.contentVersion, told.attachments, told.proxy],
    [
      { "uplink.portal_url": "https://portal.test" },
      "c1",
      { tp_btf: 2, "refused: EPERM": 1 },
      "http://proxy.test:3128",
    ],
  );
  t.is(describeConfiguration(values, { ...env, NO_PROXY: ".test" }, statuses).proxy, "");
});

test("a stage is silent when it has not answered for half a minute, whether it ever did or not", (t) => {
  const silent = new SilentStages(["collector", "enricher"], 0);
  t.deepEqual(silent.look([status("collector")], 20_000), []);
  t.deepEqual(silent.look([], 30_000), ["enricher"]);
  t.deepEqual(silent.look([status("enricher")], 50_000), ["collector"]);
});
