// Alerts people can live with: repeats are one detection that counts them, and suppressions hide and count.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Detection, StageStatus } from "@nightjar/proto";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const REPEATS = 200;
const HIDDEN = 30;
const KILLS = 3;
/** Longer than the first revision waits. */
const REVISION_TIMEOUT_MS = 60_000;
const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

/** A sensor with one rule, about files below a folder of the test's, and a suppression of what `touch` does there. */
async function setUp(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  const deeds = join(folder, "deeds");
  mkdirSync(deeds);
  const rules = join(folder, "rules.yaml");
  writeFileSync(
    rules,
    `- rule: Deed
  desc: A file of the test's is opened to be written.
  condition: evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and fd.name startswith ${deeds}/
  output: "%proc.name opened %fd.name"
  priority: NOTICE
  tags: [T1565]
`,
  );
  const suppressions = join(folder, "suppressions.yaml");
  writeFileSync(
    suppressions,
    `- suppression: touching
  tags: T1565
  condition: proc.name = touch
  reason: The test does it.
- suppression: over
  rules: Deed
  condition: proc.name = dd
  reason: It was for last year.
  expires: 2020-12-31
`,
  );
  const sensor = await startSensor(t, { args: ["--rules", rules, "--suppressions", suppressions] });
  return { sensor, deeds };
}

async function detections(sensor: Sensor): Promise<Detection[]> {
  return (await sensor.detections()).flatMap(({ detection }) => detection ?? []);
}

async function engine(sensor: Sensor): Promise<StageStatus> {
  return waitFor(async () => (await sensor.statuses()).find(({ stage }) => stage === "rule-engine"), {
    what: "the rule engine answers",
  });
}

async function shell(t: ExecutionContext, script: string): Promise<void> {
  const { code } = await startProcess(t, "/bin/sh", ["-c", script]).exited;
  t.is(code, 0);
}

async function json(t: ExecutionContext, sensor: Sensor, ...args: string[]) {
  const started = startProcess(t, process.execPath, [CLI, ...args, "--state-dir", sensor.stateDir, "--json"]);
  const { code } = await started.exited;
  t.is(code, 0, started.stderr);
  return started.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const repeat = (times: number, command: string) => `i=0; while [ $i -lt ${times} ]; do ${command}; i=$((i+1)); done`;

test(`${REPEATS} repeats are one detection, the first at once, and all totals add up${suffix}`, async (t) => {
  t.timeout(180_000);
  const { sensor, deeds } = await setUp(t);
  // Until the kernel's filters let it through: what it does then is part of the story.
  let probes = 0;
  await waitFor(
    async () => {
      await shell(t, `dd if=/dev/null of=${deeds}/probe${probes++} 2>/dev/null`);
      return (await detections(sensor)).length > 0;
    },
    { what: "the first deed is detected", timeoutMs: 60_000, intervalMs: 200 },
  );
  await shell(t, repeat(REPEATS, `dd if=/dev/null of=${deeds}/n$i 2>/dev/null`));
  await shell(t, repeat(HIDDEN, `touch ${deeds}/t$i`));
  const counted = await waitFor(
    async () => {
      const all = await detections(sensor);
      return all.reduce((sum, { count }) => sum + Number(count), 0) >= REPEATS + 1 ? all : undefined;
    },
    { what: "the repeats are told", timeoutMs: REVISION_TIMEOUT_MS, intervalMs: 200 },
  );
  t.is(counted.length, 1, JSON.stringify(counted.map(({ story }) => story)));
  const [detection] = counted;
  t.is(detection?.revision, Number(detection?.count));
  t.regex(detection?.output ?? "", /dd opened .*probe/);
  t.is(detection?.samples.length, 5);
  t.regex(detection?.story?.target ?? "", /\/deeds\/$/);
  t.regex(detection?.story?.lineage[0] ?? "", /dd$/);

  const status = await waitFor(
    async () => {
      const now = await engine(sensor);
      return now.counters.matches_suppressed === BigInt(HIDDEN) ? now : undefined;
    },
    { what: "what is hidden is counted" },
  );
  const [activity] = status.rules;
  t.is(activity?.name, "Deed");
  t.is(activity?.matched, (activity?.suppressed ?? 0n) + (activity?.detected ?? 0n) + (activity?.folded ?? 0n));
  t.is(activity?.detected, 1n);
  t.true((activity?.evaluated ?? 0n) > 0n);
  const [touching, over] = status.suppressions;
  t.deepEqual([touching?.name, touching?.hidden, touching?.hiddenByRule], ["touching", 30n, { Deed: 30n }]);
  t.deepEqual([over?.name, over?.hidden], ["over", 0n]);
  t.regex(status.healthIssues.find(({ code }) => code === "SUPPRESSIONS_EXPIRED")?.message ?? "", /over \(/);

  const [{ totals }] = await json(t, sensor, "get-statistics");
  t.is(totals.matches, totals.suppressed + totals.detections + totals.folded);
  t.is(totals.detections + totals.folded, Number(detection?.count));
  const listed = await json(t, sensor, "rules", "suppressions");
  t.deepEqual(
    listed.map(({ name, hidden }) => [name, hidden]),
    [
      ["touching", HIDDEN],
      ["over", 0],
    ],
  );
});

test(`a rule engine that is killed in the middle counts each repeat once${suffix}`, async (t) => {
  t.timeout(240_000);
  const { sensor, deeds } = await setUp(t);
  let probes = 0;
  await waitFor(
    async () => {
      await shell(t, `dd if=/dev/null of=${deeds}/probe${probes++} 2>/dev/null`);
      return (await detections(sensor)).length > 0;
    },
    { what: "the first deed is detected", timeoutMs: 60_000, intervalMs: 1_000 },
  );
  const load = startProcess(t, "/bin/sh", ["-c", repeat(REPEATS, `dd if=/dev/null of=${deeds}/n$i 2>/dev/null`)]);
  const kill = async (pid: number) => {
    process.kill(pid, "SIGKILL");
    await waitFor(async () => (await engine(sensor)).pid !== pid, { what: "it is back", timeoutMs: 30_000 });
  };
  for (let kills = 0; kills < KILLS; kills++) {
    const { pid, counters } = await engine(sensor);
    await waitFor(async () => (await engine(sensor)).counters.matches !== counters.matches || !load.running, {
      what: "something happens",
    });
    await kill(pid);
  }
  await load.exited;
  // Once more, with repeats that are not told yet: nothing may happen from now on that would tell the time.
  const { pid } = await engine(sensor);
  await kill(pid);
  // Those before the first detection may have been left in the kernel.
  let counted = 0;
  const told = await waitFor(
    async () => {
      const all = await detections(sensor);
      t.is(all.length, 1);
      counted = Number(all[0]?.count);
      return counted > REPEATS ? counted : undefined;
    },
    { what: "every repeat is told", timeoutMs: REVISION_TIMEOUT_MS, intervalMs: 500, explain: () => `${counted}` },
  );
  t.true(told <= probes + REPEATS, `${told} of ${probes} and ${REPEATS}`);
});
