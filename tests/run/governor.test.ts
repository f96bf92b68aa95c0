// A sensor over its budget gives up sight and says so, and takes it back; the ledger balances all the while.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventTypes } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const TIMEOUT_MS = 60_000;
const OPEN = eventTypes.find(({ name }) => name === "open")?.id;
const READS = 500;
const RULE = `
- rule: A file of ours is read
  desc: d
  condition: evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name endswith .loud
  output: o
  priority: NOTICE
`;
/** Its own budget is that of a machine that runs tests: only the rules' lag may make it step down. */
const ENV = {
  NIGHTJAR_GOVERNOR_ENABLED: "true",
  NIGHTJAR_GOVERNOR_CPU_PERCENT: "6400",
  NIGHTJAR_GOVERNOR_BUSY_CPU_PERCENT: "6400",
  NIGHTJAR_GOVERNOR_MEMORY_BYTES: String(64 * 1024 ** 3),
  NIGHTJAR_GOVERNOR_LAG_S: "2",
  NIGHTJAR_GOVERNOR_OVER_S: "1",
  NIGHTJAR_GOVERNOR_BACK_S: "1",
};

const reason = whyNoKernel();
const run = reason ? test.serial.skip : test.serial;

const collectorOf = async (sensor: Sensor) => (await sensor.statuses()).find(({ stage }) => stage === "collector");

async function startWatched(t: ExecutionContext): Promise<Sensor> {
  const rules = join(temporaryFolder(t), "rules.yaml");
  writeFileSync(rules, RULE);
  return await startSensor(t, { args: ["--rules", rules], env: ENV });
}

run(`reads are given up while the rules are behind, and told again${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startWatched(t);
  const file = join(temporaryFolder(t), "a.loud");
  writeFileSync(file, "");
  const readMuch = () => {
    for (let times = 0; times < READS; times++) readFileSync(file);
  };
  const enricher = sensor.pid("enricher") as number;
  process.kill(enricher, "SIGSTOP");
  t.teardown(() => process.kill(enricher, "SIGCONT"));
  const governed = await waitFor(
    async () => {
      readMuch();
      const status = await collectorOf(sensor);
      const isSaid = status?.healthIssues.some(({ code }) => code === "GOVERNOR_NOISY_READS");
      const entry = status?.ledger.find(({ type }) => type === OPEN);
      return isSaid && entry && entry.governed > BigInt(READS) && entry;
    },
    { what: "reads are given up", timeoutMs: TIMEOUT_MS, explain: () => sensor.describe() },
  );
  const drops = governed.drops.reduce((sum, { count }) => sum + count, 0n);
  const off = governed.seen - governed.filtered - governed.governed - governed.folded - governed.submitted - drops;
  // Processors count each for itself, so what happens while they are read may be in one of the numbers only.
  t.true(off > -100n && off < 100n, `off by ${off}`);

  process.kill(enricher, "SIGCONT");
  const over = await waitFor(
    async () => {
      const status = await collectorOf(sensor);
      return status?.facts.governor === "everything is told" && status.pastHealthIssues;
    },
    { what: "all is told again", timeoutMs: TIMEOUT_MS, explain: () => sensor.describe() },
  );
  const message = over.find(({ code }) => code === "GOVERNOR_NOISY_READS")?.message ?? "";
  t.regex(message, /^for \d+ s file reads .* sampled: the rules are \d+ s behind the kernel.*; not told: \d+ open$/);
});
