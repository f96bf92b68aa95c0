// A sequence of deeds is one detection with its events in order, also where the rule engine dies in the middle of it.
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const KILLS = 5;
const TIMEOUT_MS = 60_000;
const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

/** Three deeds, each the opening of a file, and what they are in this order by one user. */
function rulesOf(folder: string): string {
  const rules = ["first", "second", "third"].map(
    (name) => `- rule: ${name} deed
  desc: A file is opened.
  condition: evt.type in (open, openat, openat2, creat) and fd.name startswith ${folder}/${name}
  output: "%fd.name"
  priority: NOTICE`,
  );
  return `${rules.join("\n")}
---
title: Three deeds in order
correlation:
  type: temporal_ordered
  rules: [first deed, second deed, third deed]
  group-by: [same user, descendant of]
  timespan: 10m
  generate: false
level: high
`;
}

async function setUp(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  const rules = join(temporaryFolder(t), "rules.yaml");
  writeFileSync(rules, rulesOf(folder));
  const sensor = await startSensor(t, { args: ["--rules", rules] });
  const detections = async () => (await sensor.detections()).flatMap(({ detection }) => (detection ? [detection] : []));
  return { sensor, folder, detections };
}

async function counter(sensor: Sensor, name: string): Promise<number> {
  const status = (await sensor.statuses()).find(({ stage, ready }) => stage === "rule-engine" && ready);
  return Number(status?.counters[name] ?? -1n);
}

async function kept(sensor: Sensor, matches: number): Promise<void> {
  await waitFor(async () => (await counter(sensor, "correlation_matches")) === matches, {
    what: `${matches} matches are kept`,
    timeoutMs: TIMEOUT_MS,
    explain: () => JSON.stringify(sensor.log("rule-engine").slice(-5)),
  });
}

/** Kills the rule engine and waits for the next one. */
async function killEngine(sensor: Sensor): Promise<void> {
  const pid = sensor.pid("rule-engine") ?? 0;
  process.kill(pid, "SIGKILL");
  await waitFor(() => ![pid, undefined].includes(sensor.pid("rule-engine")), {
    what: "the next rule engine starts",
    timeoutMs: TIMEOUT_MS,
  });
}

test(`a rule engine killed between the deeds of a sequence detects it, once${suffix}`, async (t) => {
  t.timeout(4 * TIMEOUT_MS);
  const { sensor, folder, detections } = await setUp(t);
  for (let round = 0; round < KILLS; round++) {
    // The sequence's own process: a shell whose children open the files.
    const shell = startProcess(t, "/bin/sh", []);
    const before = await counter(sensor, "correlation_matches");
    shell.stdin.write(`: > ${folder}/first${round}\n`);
    await kept(sensor, before + 1);
    await killEngine(sensor);
    await kept(sensor, before + 1);
    shell.stdin.write(`cat < ${folder}/first${round} > ${folder}/second${round}\n`);
    await kept(sensor, before + 2 + 1);
    await killEngine(sensor);
    shell.stdin.write(`(: > ${folder}/third${round})\n`);
    const found = await waitFor(async () => (await detections())[round], {
      what: "the sequence is detected",
      timeoutMs: TIMEOUT_MS,
    });
    t.is(found.rule, "Three deeds in order");
    t.deepEqual(
      found.correlated.map(({ rule }) => rule),
      ["first deed", "second deed", "third deed"],
    );
    t.is(found.correlated.at(-1)?.output, `${folder}/third${round}`);
    t.is(found.correlated[0]?.eventId, found.eventId);
    await kept(sensor, before + 4);
  }
  await killEngine(sensor);
  await kept(sensor, 4 * KILLS);
  // What comes behind it at the portal shows that nothing more was on the way.
  closeSync(openSync(join(folder, "third-alone"), "w"));
  const all = await detections();
  t.deepEqual(
    all.map(({ rule }) => rule),
    Array.from({ length: KILLS }, () => "Three deeds in order"),
  );
  t.is(new Set(all.map(({ id }) => id)).size, KILLS);
});
