// The sensor as systemd runs it: up, killed, hung, out of memory, disabled and enabled again, and nothing lost by that.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { SensorCondition, type SensorState } from "@nightjar/proto";
import { type StageName, stageNames } from "@nightjar/stage";
import { type Teardown, temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type TestFn } from "ava";
import { type BootedSystem, whyNoSystemd } from "../harness/booted-system.ts";
import { bootInstalled, startPortal } from "../harness/installed.ts";
import { whyNoKernel } from "../harness/sensor.ts";

/** Units start Node, beside whatever else the machine does. */
const UP_TIMEOUT_MS = 180_000;
const STEP_TIMEOUT_MS = 90_000;
const BOOT_TIMEOUT_MS = 300_000;
const LOOK_MS = 300;
/** The budget of a host is half a processor; here seven stages start again and again. */
const TEST_BUDGET = "[Slice]\nCPUQuota=200%\n";
const WATCHDOG_S = 3;
/** Less than Node needs with the rules loaded: it cannot come up with that. */
const TOO_LITTLE_MEMORY = "40M";
const DEEDS = 50;
/** What `systemd-analyze security` may say at most, in tenths. */
const EXPOSURE_MAX: Readonly<Record<StageName, number>> = {
  bus: 20,
  "rule-engine": 20,
  aggregator: 20,
  enricher: 30,
  metadata: 30,
  uplink: 30,
  collector: 45,
};

const reason = whyNoSystemd() ?? whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

const cleanUps: (() => void | Promise<void>)[] = [];
const teardown: Teardown = { teardown: (cleanUp) => void cleanUps.unshift(cleanUp) };
let system: BootedSystem;
let portal: Awaited<ReturnType<typeof startPortal>>["at"];
let deeds: string;
let deedsDone = 0;

const unitOf = (stage: string) => `nightjar-${stage}.service`;
const settingsOf = (address: string) => `enabled: true
uplink:
  portal_url: ${address}
  portal_certificate_file: /etc/nightjar/portal.pem
  portal_token_file: /etc/nightjar/portal-token
  heartbeat_interval_s: 5
rule_engine:
  rules: [/etc/nightjar/deed.yaml]
  fold_repeats: false
bus:
  disk_bytes: 134217728
`;

/** The rule's deeds number themselves by their file's name. */
const ruleOf = (folder: string) => `- rule: Deed
  desc: A file of the test's is opened to be written.
  condition: evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and fd.name startswith ${folder}/
  output: "%fd.name"
  priority: NOTICE
`;

/** One property of every stage's unit, by stage, with one question. */
function ask(property: string): Map<StageName, string> {
  const answer = system.must(`systemctl show --value -p ${property} ${stageNames.map(unitOf).join(" ")}`);
  const values = answer.split("\n").filter((line) => line !== "");
  return new Map(stageNames.map((stage, index) => [stage, values[index] ?? ""]));
}

/** Whether a stage is up as another process than `pid`; a stage that is away for the moment has none. */
function isBack(stage: StageName, pid: string | undefined): boolean {
  const now = ask("MainPID").get(stage);
  return now !== pid && now !== "0" && ask("ActiveState").get(stage) === "active";
}

function act(): void {
  for (let end = deedsDone + DEEDS; deedsDone < end; deedsDone++)
    closeSync(openSync(join(deeds, `n${deedsDone}`), "w"));
}

async function deedsArrive(): Promise<void> {
  const missing = async () => {
    const told = new Set((await portal.detections()).map(({ detection }) => detection?.output));
    return Array.from({ length: deedsDone }, (_, index) => join(deeds, `n${index}`)).filter((one) => !told.has(one));
  };
  await waitFor(async () => (await missing()).length === 0, {
    what: "every deed is told at the portal",
    timeoutMs: STEP_TIMEOUT_MS,
    intervalMs: LOOK_MS,
    explain: async () => `missing: ${(await missing()).join(" ")}\n${describe()}`,
  });
}

function describe(): string {
  const { stdout } = system.run(
    "systemctl status --no-pager --lines=10 'nightjar*'; tail -n 3 /var/log/nightjar/*.log",
  );
  return stdout;
}

async function allActive(): Promise<void> {
  const isUp = () => [...ask("ActiveState").values()].every((one) => one === "active");
  await waitFor(isUp, { what: "every stage is up", timeoutMs: UP_TIMEOUT_MS, intervalMs: LOOK_MS, explain: describe });
}

async function hostAtPortal(isIt: (sensor: SensorState) => boolean, what: string): Promise<void> {
  const find = async () => (await portal.portal().listSensors({})).sensors.find(isIt);
  await waitFor(find, { what, timeoutMs: STEP_TIMEOUT_MS, intervalMs: LOOK_MS, explain: describe });
}

const isWhole = ({ stages, condition }: SensorState) =>
  condition !== SensorCondition.DISABLED &&
  stageNames.every((name) => stages.some((one) => one.stage === name && one.ready));

/** Puts something over a unit for the rest of the test. */
function override(unit: string, contents: string): void {
  const folder = `/run/systemd/system/${unit}.d`;
  system.must(`mkdir -p ${folder} && cat > ${folder}/90-test.conf <<'END'\n${contents}END\nsystemctl daemon-reload`);
}

anyTest.before(async (t) => {
  if (reason) return;
  t.timeout(BOOT_TIMEOUT_MS);
  deeds = temporaryFolder(teardown);
  const { at, address, certificate, token } = await startPortal(teardown);
  portal = at;
  system = await bootInstalled(teardown, settingsOf(address), {
    "etc/nightjar/portal.pem": certificate,
    "etc/nightjar/portal-token": token,
    "etc/nightjar/deed.yaml": ruleOf(deeds),
    "etc/systemd/system/nightjar.slice.d/60-test.conf": TEST_BUDGET,
  });
});

anyTest.after.always("the system is switched off", async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

test(`the units say nothing that systemd does not know, and expose little${suffix}`, (t) => {
  const units = ["nightjar.service", "nightjar.target", "nightjar.slice", ...stageNames.map(unitOf)];
  // What it finds it prints, and ends with 0 all the same.
  const { stdout } = system.run(`systemd-analyze verify --man=no ${units.join(" ")} 2>&1 | grep nightjar`);
  t.is(stdout, "");
  for (const stage of stageNames) {
    const file = `/usr/lib/systemd/system/${unitOf(stage)}`;
    const command = `systemd-analyze security --offline=yes --threshold=${EXPOSURE_MAX[stage]} --no-pager ${file}`;
    const { code, stdout: told } = system.run(command);
    t.is(code, 0, told);
  }
});

test(`the settings are checked, and shown with their sources${suffix}`, (t) => {
  t.regex(system.must("nightjar config check"), /the settings are fine/);
  t.regex(system.must("nightjar config show"), /bus\.disk_bytes +134217728 +file/);
  const { code, stderr } = system.run("NIGHTJAR_BUS_DISK_BYTES=much nightjar config check");
  t.is(code, 2);
  t.regex(stderr, /SETTING_INVALID.*NIGHTJAR_BUS_DISK_BYTES/);
});

test(`the sensor comes up, and the portal sees its host and its deeds${suffix}`, async (t) => {
  t.timeout(UP_TIMEOUT_MS + STEP_TIMEOUT_MS);
  system.must("systemctl start nightjar.target");
  await allActive();
  await hostAtPortal(isWhole, "the portal has heard of every stage");
  act();
  await deedsArrive();
  await waitFor(() => /events\/s/.test(ask("StatusText").get("enricher") ?? ""), {
    what: "systemctl status says how fast it is",
  });
  t.is(system.run("systemctl --failed --no-legend 'nightjar*'").stdout, "");
});

test(`rules that root adds are read by the rule engine's user${suffix}`, async (t) => {
  t.timeout(STEP_TIMEOUT_MS);
  const rule = ruleOf("/nowhere").replace("rule: Deed", "rule: Another deed");
  system.must(`umask 077; cat > /root/added.yaml <<'END'\n${rule}END\nnightjar rules add /root/added.yaml`);
  await waitFor(() => /^2 rules/.test(ask("StatusText").get("rule-engine") ?? ""), {
    what: "both rules are in force",
    timeoutMs: STEP_TIMEOUT_MS,
    intervalMs: LOOK_MS,
    explain: describe,
  });
  t.pass();
});

test(`each stage that is killed is started again, it alone, and nothing is lost${suffix}`, async (t) => {
  t.timeout(UP_TIMEOUT_MS * 2);
  for (const stage of stageNames) {
    const before = ask("MainPID");
    act();
    system.must(`systemctl kill --signal=KILL --kill-who=main ${unitOf(stage)}`);
    await waitFor(() => isBack(stage, before.get(stage)), {
      what: `${stage} is back`,
      timeoutMs: STEP_TIMEOUT_MS,
      intervalMs: LOOK_MS,
      explain: describe,
    });
    const now = ask("MainPID");
    const ended = stageNames.filter((one) => now.get(one) !== before.get(one));
    t.deepEqual(ended, [stage]);
  }
  await deedsArrive();
});

test(`the watchdog ends a stage that hangs${suffix}`, async (t) => {
  t.timeout(STEP_TIMEOUT_MS * 2);
  const unit = unitOf("aggregator");
  override(unit, `[Service]\nWatchdogSec=${WATCHDOG_S}s\n`);
  system.must(`systemctl restart ${unit}`);
  const hanging = ask("MainPID").get("aggregator");
  system.must(`systemctl kill --signal=STOP --kill-who=main ${unit}`);
  await waitFor(() => isBack("aggregator", hanging), {
    what: "it is started again",
    timeoutMs: STEP_TIMEOUT_MS,
    intervalMs: LOOK_MS,
  });
  t.regex(system.journal(unit), /Watchdog timeout/);
});

test(`a rule engine without memory loses nothing${suffix}`, async (t) => {
  t.timeout(STEP_TIMEOUT_MS * 3);
  const unit = unitOf("rule-engine");
  override(unit, `[Service]\nMemoryMax=${TOO_LITTLE_MEMORY}\n`);
  const before = ask("MainPID");
  system.run(`systemctl restart --no-block ${unit}`);
  await waitFor(() => Number(ask("NRestarts").get("rule-engine")) >= 2, {
    what: "its memory is too little",
    timeoutMs: STEP_TIMEOUT_MS,
    intervalMs: LOOK_MS,
    explain: describe,
  });
  act();
  override(unit, "");
  await allActive();
  act();
  await deedsArrive();
  const now = ask("MainPID");
  t.deepEqual(
    stageNames.filter((one) => now.get(one) !== before.get(one)),
    ["rule-engine"],
  );
});

test(`disabled, nothing of it is left; enabled, it is back${suffix}`, async (t) => {
  t.timeout(UP_TIMEOUT_MS * 2);
  const file = "/etc/nightjar/nightjar.yaml";
  const set = (enabled: boolean) =>
    system.must(`sed -i 's/^enabled:.*/enabled: ${enabled}/' ${file} && systemctl restart nightjar.service`);
  set(false);
  await waitFor(() => [...ask("ActiveState").values()].every((one) => one === "inactive"), {
    what: "no stage runs",
    timeoutMs: STEP_TIMEOUT_MS,
    intervalMs: LOOK_MS,
    explain: describe,
  });
  const users = stageNames.map((stage) => `nightjar-${stage}`).join(",");
  t.is(system.run(`ps -o args= -u ${users}`).stdout, "", "a process is left");
  t.is(system.run("find /sys/fs/bpf/nightjar -mindepth 1").stdout, "", "something is pinned");
  await hostAtPortal(({ condition }) => condition === SensorCondition.DISABLED, "the portal knows that it is disabled");
  t.is(system.run("nightjar stage aggregator").code, 7);
  set(true);
  await allActive();
  await hostAtPortal(isWhole, "the portal has it back");
  act();
  await deedsArrive();
});
