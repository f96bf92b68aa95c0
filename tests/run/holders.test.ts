// Who wants events on a running sensor: its stages stand for theirs, a tap for its own, for as long as it is there.
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
/** Time for a busy machine: to start a command, or for a lease of 15 s to end. */
const TIMEOUT_MS = 60_000;
/** No starter rule is about making folders. */
const TYPE = "mkdir";

const reason = whyNoKernel();
const run = reason ? test.serial.skip : test.serial;

async function filters(t: ExecutionContext, { stateDir }: Sensor) {
  const doctor = startProcess(t, process.execPath, [CLI, "doctor", "--filters", "--json", "--state-dir", stateDir]);
  const { code } = await doctor.exited;
  t.is(code, 0, doctor.stderr);
  return JSON.parse(doctor.stdout);
}

const holders = async (t: ExecutionContext, sensor: Sensor): Promise<Record<string, string>> =>
  (await filters(t, sensor)).holders;

const taps = (all: Record<string, string>) => Object.values(all).filter((wants) => wants === `tap: ${TYPE}`).length;

/** Makes a folder again and again until `tap` has printed one. */
async function untilPrinted(t: ExecutionContext, tapping: TestProcess): Promise<void> {
  const folder = join(temporaryFolder(t), "made");
  const made = () => {
    mkdirSync(folder);
    rmdirSync(folder);
    return tapping.stdout.includes("\n");
  };
  await waitFor(made, { what: "the tap prints one", timeoutMs: TIMEOUT_MS, explain: () => tapping.stderr });
}

function tap(t: ExecutionContext, { stateDir }: Sensor, ...args: string[]): TestProcess {
  return startProcess(t, process.execPath, [CLI, "tap", "--state-dir", stateDir, "--type", TYPE, ...args]);
}

run(
  `the rules are those of the running sensor, whatever the settings say${reason ? ` (${reason})` : ""}`,
  async (t) => {
    t.timeout(5 * 60_000);
    const rules = join(temporaryFolder(t), "rules.yaml");
    writeFileSync(
      rules,
      "- rule: A folder\n  desc: d\n  condition: evt.type = mkdir\n  output: o\n  priority: NOTICE\n",
    );
    const sensor = await startSensor(t, { args: ["--rules", rules] });
    const { types } = await filters(t, sensor);
    t.deepEqual(
      types.map((one: { type: string; rules: { rule: string }[] }) => [one.type, one.rules.map(({ rule }) => rule)]),
      [["mkdir", ["A folder"]]],
    );
  },
);

run(`a tap makes events come that nobody else wants, until it ends${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startSensor(t);
  const before = await holders(t, sensor);
  t.deepEqual(Object.keys(before).sort(), ["aggregator", "enricher", "rule-engine"]);
  t.regex(before.enricher ?? "", /exec, fork|fork, exec/);
  const collector = async () => (await sensor.statuses()).find(({ stage }) => stage === "collector");
  const isWanted = async () => (await collector())?.facts.wanted?.split(", ").includes(TYPE);
  t.false(await isWanted());

  const first = tap(t, sensor, "--process", String(process.pid), "--count", "1");
  await untilPrinted(t, first);
  t.is((await first.exited).code, 0, first.stderr);
  const event = JSON.parse(first.stdout);
  t.is(event.subject, "nightjar.tapped");
  t.is(event.process.pid, process.pid);
  t.true(event.ancestors.length > 0, "it is enriched as what rules see");
  const enricher = (await sensor.statuses()).find(({ stage }) => stage === "enricher");
  t.true((enricher?.counters.events_tapped ?? 0n) > 0n);
  await waitFor(async () => !(await isWanted()), {
    what: "what the tap wanted is not wanted any more",
    timeoutMs: TIMEOUT_MS,
  });

  const killed = tap(t, sensor);
  await untilPrinted(t, killed);
  t.is(taps(await holders(t, sensor)), 1);
  killed.signal("SIGKILL");
  await killed.exited;
  await waitFor(async () => !(await isWanted()), { what: "the lease is over", timeoutMs: TIMEOUT_MS });
  t.deepEqual(Object.keys(await holders(t, sensor)).sort(), ["aggregator", "enricher", "rule-engine"]);
});
