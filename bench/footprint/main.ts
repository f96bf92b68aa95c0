// What the sensor takes of a host, at rest and under load, and how much it slows the work of others.
//
//   nightjar bench footprint [--seconds S] [--rounds N] [--json]
//
// Needs root. Everything the kernel sees is submitted (a rule wants all types), and the governor is off: this is what
// the events cost. No limits are set on it here; under systemd the slice has half a core and 512 MB. Jobs are run with
// the sensor and without it in turns; the report has the medians, their ratio, and how busy the machine was.
import { mkdtempSync, readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pause } from "@nightjar/stage";
import { median } from "../common/statistics.ts";
import { Load } from "../pipeline/load.ts";
import { Sensor, type Snapshot } from "../pipeline/sensor.ts";
import { compileJob, webJob } from "./jobs.ts";

const RATES = [0, 1_000, 5_000, 20_000];
const MS_PER_S = 1_000;
const MIB = 1024 * 1024;
const BLOCK_BYTES = 512;
const COMPILED_FILES = 40;
const WEB_REQUESTS = 4_000;
const RULES = [
  join(import.meta.dirname, "../../services/rule-engine/rules"),
  join(import.meta.dirname, "../pipeline/all-events.yaml"),
];
/** Not the sensor of a fleet's host: the portal is elsewhere there, and systemd is the supervisor. */
const NOT_COUNTED = new Set(["portal", "nightjar run"]);

interface Footprint {
  rate: number;
  submittedPerS: number;
  dropped: number;
  /** Of one processor, by role. */
  cpuPercent: Record<string, number>;
  cpuPercentSum: number;
  pssMib: number;
  diskMib: number;
}

async function measure(sensor: Sensor, load: Load, rate: number, seconds: number): Promise<Footprint> {
  const before = await sensor.snapshot();
  const started = performance.now();
  if (rate === 0) await pause(seconds * MS_PER_S);
  else await load.storm({ operation: "open", countMax: rate * seconds, secondsMax: seconds, rate });
  await sensor.drained();
  const tookS = (performance.now() - started) / MS_PER_S;
  const after = await sensor.snapshot();
  const cpuPercent = cpuBetween(before, after, tookS);
  const memory = sensor.memory().filter(({ role }) => !NOT_COUNTED.has(role));
  return {
    rate,
    submittedPerS: Math.round((after.ledger.submitted - before.ledger.submitted) / tookS),
    dropped: after.ledger.dropped - before.ledger.dropped,
    cpuPercent,
    cpuPercentSum: Object.values(cpuPercent).reduce((sum, one) => sum + one, 0),
    pssMib: memory.reduce((sum, { proportionalBytes }) => sum + proportionalBytes, 0) / MIB,
    diskMib: diskBytes(sensor.stateDir) / MIB,
  };
}

function cpuBetween(before: Snapshot, after: Snapshot, seconds: number): Record<string, number> {
  const counted = [...after.cpuS].filter(([role]) => !NOT_COUNTED.has(role));
  return Object.fromEntries(
    counted.map(([role, cpuS]) => [role, (100 * (cpuS - (before.cpuS.get(role) ?? 0))) / seconds]),
  );
}

/** Files of the embedded portal are left out. */
function diskBytes(stateDir: string): number {
  const entries = readdirSync(stateDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(stateDir, "portal")));
  return files.reduce((sum, { parentPath, name }) => {
    const stat = statSync(join(parentPath, name), { throwIfNoEntry: false });
    return sum + (stat?.blocks ?? 0) * BLOCK_BYTES;
  }, 0);
}

async function measureAll(folder: string, load: Load, seconds: number): Promise<Footprint[]> {
  const sensor = await Sensor.start(folder, RULES);
  try {
    await sensor.drained();
    const footprints: Footprint[] = [];
    for (const rate of RATES) footprints.push(await measure(sensor, load, rate, seconds));
    return footprints;
  } finally {
    await sensor.stop();
  }
}

interface Slowdown {
  compileS: { off: number; on: number; ratio: number };
  webP99Ms: { off: number; on: number; ratio: number };
}

async function compare(folder: string, rounds: number): Promise<Slowdown> {
  const times = {
    off: { compile: [] as number[], web: [] as number[] },
    on: { compile: [] as number[], web: [] as number[] },
  };
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? (["off", "on"] as const) : (["on", "off"] as const)) {
      const sensor = side === "on" ? await Sensor.start(folder, RULES.slice(0, 1)) : undefined;
      try {
        times[side].compile.push(await compileJob(folder, COMPILED_FILES));
        times[side].web.push(await webJob(WEB_REQUESTS));
      } finally {
        await sensor?.stop();
      }
    }
  }
  const of = (job: "compile" | "web") => {
    const [off = 0, on = 0] = [median(times.off[job]), median(times.on[job])];
    return { off, on, ratio: on / off };
  };
  return { compileS: of("compile"), webP99Ms: of("web") };
}

function print(footprints: readonly Footprint[], slowdown: Slowdown): void {
  const digits = (value: number, count = 1) => value.toFixed(count);
  for (const { rate, submittedPerS, dropped, cpuPercent, cpuPercentSum, pssMib, diskMib } of footprints) {
    const parts = Object.entries(cpuPercent).map(([role, percent]) => `${role} ${digits(percent)}`);
    const load = rate === 0 ? "at rest" : `${rate} opens/s`;
    console.log(`${load}: ${submittedPerS} events/s submitted, ${dropped} dropped`);
    console.log(`  CPU ${digits(cpuPercentSum)} % of a core (${parts.join(", ")})`);
    console.log(`  PSS ${digits(pssMib, 0)} MiB, disk ${digits(diskMib, 0)} MiB`);
  }
  const rows = [
    ["compile job, s", slowdown.compileS],
    ["web server's p99, ms", slowdown.webP99Ms],
  ] as const;
  for (const [name, { off, on, ratio }] of rows)
    console.log(`${name}: ${digits(off, 2)} without, ${digits(on, 2)} with: x ${digits(ratio, 3)}`);
  console.log(
    `load of the machine: ${loadavg()
      .map((one) => digits(one))
      .join(" ")}`,
  );
}

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
if (!(seconds > 0 && Number.isInteger(rounds) && rounds > 0)) {
  console.error("usage: nightjar bench footprint [--seconds S] [--rounds N] [--json]");
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "nightjar-footprint-"));
try {
  const load = await Load.compile(folder);
  const footprints = await measureAll(folder, load, seconds);
  const slowdown = await compare(folder, rounds);
  if (values.json) console.log(JSON.stringify({ footprints, slowdown }));
  else print(footprints, slowdown);
} finally {
  await rm(folder, { recursive: true, force: true });
}
