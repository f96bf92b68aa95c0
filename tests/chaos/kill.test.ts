// Kills every part of the sensor, again and again under load: no event is missed, none told twice.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RangeSet } from "@nightjar/events";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { type Sensor, startSensor, type Victim, whyNoKernel } from "../harness/sensor.ts";

const KILLS = 49;
const VICTIMS: readonly Victim[] = [
  "nats-server",
  "bus",
  "collector",
  "metadata",
  "enricher",
  "rule-engine",
  "aggregator",
  "uplink",
  "portal",
];
/** Between two kills, so that some fall on parts that are still coming back. */
const KILL_INTERVAL_MS_MAX = 1_200;
const SETTLE_TIMEOUT_MS = 120_000;
/**
 * A part that dies every few seconds is started again later and later. Here that would only keep the bus away for
 * longer than the default ring can hold, and what the kernel drops is not what this test is about.
 */
const PATIENCE = ["--cli-restart-delay-max-ms", "250", "--collector-ring-bytes", String(64 * 1024 * 1024)];
/** Deeds that must each be detected, and those that only make load. */
const MARKS_PER_SECOND = 40;
const OPENS_PER_SECOND = 2_000;

const reason = whyNoKernel();

/** The same kills in the same order for the same seed; a failing run prints its seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const LOAD = `
const fs = require("node:fs");
const [, folder, marks, opens] = process.argv;
let marked = 0;
const touch = (file) => fs.closeSync(fs.openSync(file, "w"));
const turn = setInterval(() => {
  for (let i = 0; i < opens / 50; i++) fs.closeSync(fs.openSync(folder + "/load", "a"));
  if (marked * 50 < marks * ++ticks) touch(folder + "/mark-" + marked++);
}, 20);
let ticks = 0;
process.stdin.on("data", () => { clearInterval(turn); console.log("marked " + marked); process.exit(0); });
console.log("running");
`;

function rulesFile(folder: string, watched: string): string {
  const file = join(folder, "chaos.yaml");
  writeFileSync(
    file,
    `# One detection for each mark.
- rule: Mark made
  desc: The chaos test made a mark.
  condition: evt.type in (open, openat, openat2, creat) and fd.name startswith ${watched}/mark-
  output: "%fd.name by %proc.name %proc.pid"
  priority: NOTICE
`,
  );
  return file;
}

const run = reason ? test.skip : test;

run(
  `${KILLS} kills under load: every event evaluated, every detection at the portal once${reason ? ` (${reason})` : ""}`,
  async (t) => {
    t.timeout(10 * 60_000);
    const seed = Number(process.env.NIGHTJAR_CHAOS_SEED ?? Date.now() % 100_000);
    t.log(`seed ${seed}`);
    const folder = temporaryFolder(t);
    const watched = join(folder, "watched");
    mkdirSync(watched);
    const sensor = await startSensor(t, {
      args: ["--rules", rulesFile(folder, watched), "--rule-engine-fold-repeats", "false", ...PATIENCE],
    });
    const load = startProcess(t, process.execPath, [
      "-e",
      LOAD,
      watched,
      String(MARKS_PER_SECOND),
      String(OPENS_PER_SECOND),
    ]);
    await load.line(/running/);

    const kills = await killAll(sensor, random(seed));
    t.log(`killed ${JSON.stringify(kills)}`);
    load.stdin.write("stop\n");
    const marked = Number((await load.line(/marked (\d+)/))[1]);
    t.true(marked > KILLS, `the load went on: ${marked} marks`);

    const names = await waitFor(
      async () => {
        const all = (await sensor.detections()).map((one) => one.detection?.fields["fd.name"] ?? "");
        return new Set(all).size >= marked ? all : undefined;
      },
      { what: `${marked} detections at the portal`, timeoutMs: SETTLE_TIMEOUT_MS, explain: () => account(sensor) },
    );
    t.is(new Set(names).size, marked);
    t.is(names.length, marked, "each exactly once");
    await everythingEvaluated(sensor);
    t.true(sensor.process.running);
  },
);

/** Kills at random moments; counts what was really killed, since one that is still away cannot be. */
async function killAll(sensor: Sensor, next: () => number): Promise<Record<string, number>> {
  const kills: Record<string, number> = {};
  for (let count = 0; count < KILLS; ) {
    const pauseUntil = performance.now() + next() * KILL_INTERVAL_MS_MAX;
    await waitFor(() => performance.now() >= pauseUntil, { what: "the moment of the next kill" });
    const victim = VICTIMS[Math.floor(next() * VICTIMS.length)] as Victim;
    const pid = sensor.pid(victim);
    if (!pid || !kill(pid)) continue;
    kills[victim] = (kills[victim] ?? 0) + 1;
    count++;
  }
  return kills;
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

/** What the collector published last has been evaluated, and the ranges evaluated have no gap before it. */
async function everythingEvaluated(sensor: Sensor): Promise<void> {
  await waitFor(
    async () => {
      const statuses = await sensor.statuses();
      const collector = statuses.find((one) => one.stage === "collector");
      const engine = statuses.find((one) => one.stage === "rule-engine");
      const processed = RangeSet.fromRecord(JSON.parse(engine?.facts.processed ?? ""));
      const ranges = [...(processed ?? [])];
      const published = {
        source: collector?.facts.source ?? "",
        first: 0,
        next: Number(collector?.facts.stored),
      };
      return (
        published.next > 0 &&
        ranges.length === 1 &&
        processed?.has(published) &&
        collector?.ledger.every((one) => one.drops.length === 0)
      );
    },
    {
      what: "all that was published is evaluated, without a gap",
      timeoutMs: SETTLE_TIMEOUT_MS,
      explain: () => account(sensor),
    },
  );
}

async function account(sensor: Sensor): Promise<string> {
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);
  const statuses = await sensor.statuses().catch((error: Error) => error.message);
  return `${JSON.stringify(statuses, plain, 1)}\n${sensor.process.stderr.slice(-8_000)}`;
}
