// Each attack, done for real against the running sensor, is read from the portal with its process tree.
import type { StoredDetection } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";
import { attacks, lookAlikes } from "./acts.ts";

/** From the deed to the portal, as a user is promised. */
const DETECTION_MS_MAX = 2_000;

const reason = whyNoKernel();
const run = reason ? test.skip : test;
const why = reason ? ` (${reason})` : "";

/** The detections whose process tree goes back to this test. */
async function ours(sensor: Sensor): Promise<StoredDetection[]> {
  const all = await sensor.detections();
  return all.filter((one) => one.detection?.processes.some((process) => process.pid === globalThis.process.pid));
}

function describe(stored: StoredDetection): string {
  const { rule, output } = stored.detection ?? {};
  return `${rule}: ${output}`;
}

run(`attacks are detected within ${DETECTION_MS_MAX} ms, look-alikes raise nothing${why}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startSensor(t);
  const folder = temporaryFolder(t);
  for (const act of lookAlikes) await act.perform(folder);
  let expected = 0;
  for (const act of attacks) {
    const began = performance.now();
    await act.perform(folder);
    expected++;
    const found = await waitFor(
      async () => {
        const all = await ours(sensor);
        return all.length >= expected ? all : undefined;
      },
      { what: `"${act.rule}" is at the portal`, timeoutMs: 10_000, explain: () => sensor.process.stderr.slice(-4_000) },
    );
    const last = found.at(-1)?.detection;
    t.log(`${act.name}: ${Math.round(performance.now() - began)} ms, ${last?.output}`);
    t.deepEqual(
      found.map((one) => one.detection?.rule),
      attacks.slice(0, expected).map((one) => one.rule),
    );
    checkTree(t, last?.processes ?? []);
    t.true(Number(found.at(-1)?.deliveries) >= 1);
  }
  t.deepEqual((await ours(sensor)).map(describe).length, attacks.length);
  const printed = sensor.process.stdout;
  for (const act of attacks) t.true(printed.includes(act.rule ?? ""), `${act.rule} was printed`);
});

/** The tree leads from the process that acted over this test to the first process. */
function checkTree(t: { true(actual: boolean, message?: string): void }, tree: readonly { pid: number }[]): void {
  const pids = tree.map((process) => process.pid);
  t.true(pids.includes(process.pid), `the tree ${pids} holds this test`);
  t.true(pids.includes(process.ppid), `the tree ${pids} holds this test's parent`);
}
