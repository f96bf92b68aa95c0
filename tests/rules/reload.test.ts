// Rules that change while the sensor runs: they come into force whole, and no event is missed or evaluated twice.
import { closeSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HealthIssue, StageStatus } from "@nightjar/proto";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const RELOADS = 20;
const OPENS_PER_SECOND = 100;
const SETTLE_TIMEOUT_MS = 120_000;
const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

/** Opens files whose names number them, so that each deed is its own witness. */
const LOAD = `
const fs = require("node:fs");
const [, folder, perSecond] = process.argv;
let made = 0;
const turn = setInterval(() => {
  for (let i = 0; i < perSecond / 50; i++) fs.closeSync(fs.openSync(folder + "/n" + made++, "w"));
}, 20);
process.stdin.on("data", () => { clearInterval(turn); console.log("made " + made); process.exit(0); });
console.log("running");
`;

/** The rule's `condition` stands in line 3, what is put behind it begins in line 6. */
function ruleOf(name: string, path: string): string {
  return `- rule: ${name}
  desc: A file below ${path} is opened to be written.
  condition: evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and fd.name startswith ${path}/
  output: "%fd.name"
  priority: NOTICE
`;
}

/** A file is replaced whole, as a careful editor does, or a tool that hands out rules. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** A sensor whose rules stand in a folder of the test's, and another folder for deeds. */
async function setUp(t: ExecutionContext) {
  const rules = join(temporaryFolder(t), "rules");
  const deeds = temporaryFolder(t);
  mkdirSync(rules);
  replaceFile(join(rules, "a.yaml"), ruleOf("Deed", deeds));
  const sensor = await startSensor(t, { args: ["--rules", rules, "--rule-engine-fold-repeats", "false"] });
  const write = (name: string, text: string) => replaceFile(join(rules, name), text);
  return { sensor, deeds, write, remove: (name: string) => unlinkSync(join(rules, name)) };
}

async function engine(sensor: Sensor): Promise<StageStatus> {
  return waitFor(async () => (await sensor.statuses()).find(({ stage }) => stage === "rule-engine"), {
    what: "the rule engine answers",
  });
}

async function issueOf(sensor: Sensor, code: string): Promise<HealthIssue | undefined> {
  return (await engine(sensor)).healthIssues.find((issue) => issue.code === code);
}

function counter(status: StageStatus | undefined, name: string): number {
  return Number(status?.counters[name] ?? 0n);
}

/** Does the deed until the portal tells of it: the kernel's filters widen a moment after the rules. */
async function detected(sensor: Sensor, rule: string, folder: string): Promise<void> {
  let deed = 0;
  await waitFor(
    async () => {
      closeSync(openSync(join(folder, `d${deed++}`), "w"));
      return (await sensor.detections()).some(({ detection }) => detection?.rule === rule);
    },
    { what: `"${rule}" is detected`, timeoutMs: 60_000, intervalMs: 100 },
  );
}

test(`an added rule detects; one with a mistake leaves those before in force${suffix}`, async (t) => {
  t.timeout(180_000);
  const { sensor, deeds, write, remove } = await setUp(t);
  await detected(sensor, "Deed", deeds);
  const added = temporaryFolder(t);
  write("b.yaml", ruleOf("Added", added));
  await detected(sensor, "Added", added);

  const before = await engine(sensor);
  write("a.yaml", `${ruleOf("Deed anew", deeds)}- rule: Wrong\n  condition: fd.nmae = x\n`);
  const issue = await waitFor(() => issueOf(sensor, "RULES_PROBLEM"), { what: "the mistake is told" });
  t.regex(issue.message, /1 mistake in the rules, the rules before stay in force: .*a\.yaml:6: /);
  const after = await engine(sensor);
  t.is(after.facts.content_version, before.facts.content_version);
  t.is(counter(after, "rules_refused"), 1);
  const old = (await sensor.detections()).length;
  await waitFor(
    async () => {
      closeSync(openSync(join(deeds, "while-broken"), "w"));
      return (await sensor.detections()).length > old;
    },
    { what: "the rules before still detect" },
  );
  t.false((await sensor.detections()).some(({ detection }) => detection?.rule === "Deed anew"));

  write("a.yaml", ruleOf("Deed mended", deeds));
  await waitFor(async () => !(await issueOf(sensor, "RULES_PROBLEM")), { what: "the issue is over" });
  await detected(sensor, "Deed mended", deeds);
  remove("a.yaml");
  remove("b.yaml");
  const none = await waitFor(() => issueOf(sensor, "RULES_PROBLEM"), { what: "that there are no rules is told" });
  t.regex(none.message, /stay in force.*there is no rule/);
  t.is((await engine(sensor)).facts.rules, "2");
});

test(`${RELOADS} reloads under load: each deed is detected once, by one set or the other${suffix}`, async (t) => {
  t.timeout(5 * 60_000);
  const { sensor, deeds, write } = await setUp(t);
  await detected(sensor, "Deed", deeds);
  const load = startProcess(t, process.execPath, ["-e", LOAD, deeds, String(OPENS_PER_SECOND)]);
  await load.line(/running/);
  for (let reload = 1; reload <= RELOADS; reload++) {
    write("z.yaml", ruleOf(`Other ${reload}`, `/nowhere/${reload}`));
    await waitFor(async () => counter(await engine(sensor), "rules_reloaded") === reload, {
      what: `reload ${reload}`,
      timeoutMs: 30_000,
    });
  }
  load.stdin.write("stop\n");
  const made = Number((await load.line(/made (\d+)/))[1]);

  const times = new Map<string, number>();
  const versions = new Set<string>();
  await waitFor(
    async () => {
      times.clear();
      for (const { detection } of await sensor.detections()) {
        const path = detection?.output ?? "";
        times.set(path, (times.get(path) ?? 0) + 1);
        versions.add(detection?.contentVersion ?? "");
      }
      return times.has(join(deeds, `n${made - 1}`));
    },
    { what: "the last deed is detected", timeoutMs: SETTLE_TIMEOUT_MS, intervalMs: 500 },
  );
  const deedTimes = Array.from({ length: made }, (_, deed) => times.get(join(deeds, `n${deed}`)) ?? 0);
  t.log(`${made} deeds, ${versions.size} versions of the rules`);
  t.is(deedTimes.filter((count) => count === 0).length, 0, "none is missed");
  t.is(deedTimes.filter((count) => count > 1).length, 0, "none comes twice");
  t.true(versions.size > RELOADS / 2);
  t.false(versions.has(""));
  const statuses = await sensor.statuses();
  const status = (name: string) => statuses.find(({ stage }) => stage === name);
  t.is(counter(status("rule-engine"), "batches_repeated"), 0);
  t.deepEqual(status("collector")?.ledger.flatMap(({ drops }) => drops) ?? [], []);
});
