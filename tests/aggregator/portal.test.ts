// From a list that the portal is given to a detection of a process that showed an entry of it before.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { startSensor, whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const TIMEOUT_MS = 90_000;
const ADDRESS = "203.0.113.99";
const reason = whyNoKernel();
const run = reason ? test.skip : test;

run(`a list tells of what was done before it came${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(4 * TIMEOUT_MS);
  const sensor = await startSensor(t);
  await startProcess(t, "bash", ["-c", `(exec 3<>/dev/tcp/${ADDRESS}/81) 2>/dev/null; true`]).exited;
  const asked = async () => {
    const statuses = await sensor.statuses();
    return Number(statuses.find(({ stage }) => stage === "aggregator")?.counters.indicators_asked ?? 0n) > 0;
  };
  await waitFor(asked, { what: "it is looked up", timeoutMs: TIMEOUT_MS });
  const list = join(temporaryFolder(t), "list.txt");
  writeFileSync(list, `${ADDRESS}\n`);
  const argv = ["portal", "indicators", "import", list, "--source", "feed", "--state-dir", sensor.stateDir];
  const imported = startProcess(t, process.execPath, [CLI, ...argv]);
  t.is((await imported.exited).code, 0, imported.stderr);
  const { detection } = await waitFor(
    async () =>
      (await sensor.detections()).find(({ detection: one }) => one?.fields["threat.indicator.name"] === ADDRESS),
    { what: "the portal has the detection", timeoutMs: TIMEOUT_MS },
  );
  t.is(detection?.rule, "Connection to malicious address");
  t.is(detection?.fields["threat.indicator.provider"], "feed");
  t.true(detection?.processes.some(({ pid }) => pid === process.pid));
});
