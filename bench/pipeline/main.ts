// Measures the running sensor under storms: events a second, its cost, its drops, its latency and its memory.
//
//   nightjar bench pipeline [--json] [--rounds N] [--seconds S] [--deeds N] [--all-events]
//
// With --all-events a rule is added that wants every event type, so that none is filtered in the kernel.
// Needs root. The sensor is one of its own, in a temporary state folder; what else runs on the machine is in the
// figures too, so each pair of runs is close in time and the report says how busy the machine was.
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { thisMachine } from "../common/machine.ts";
import { ArrivalWatch } from "./latency.ts";
import { Load } from "./load.ts";
import { type Measurements, planStorms, runLatency, runStorm, runStormWatched, type StormPlan } from "./measure.ts";
import { reportText } from "./print.ts";
import { reportOf } from "./report.ts";
import { Sensor } from "./sensor.ts";

const ROUNDS_DEFAULT = 5;
const SECONDS_DEFAULT = 4;
const DEEDS_DEFAULT = 100;
const STARTER_RULES = join(import.meta.dirname, "../../services/rule-engine/rules");
const ALL_EVENTS_RULES = join(import.meta.dirname, "all-events.yaml");
/** What tells one run's figures from another's: the server, and how the probe is attached. */
const FACTS_SHOWN = /^(server_version|attachment\..*|rules|wanted)$/;
const USAGE = "usage: nightjar bench pipeline [--json] [--rounds N] [--seconds S] [--deeds N] [--all-events]";

interface Wanted {
  json: boolean;
  rounds: number;
  seconds: number;
  deeds: number;
  rules: string[];
}

/** What is asked for, or what is wrong with it. */
function readArguments(args: readonly string[]): Wanted | string {
  const options = {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: String(ROUNDS_DEFAULT) },
    seconds: { type: "string", default: String(SECONDS_DEFAULT) },
    deeds: { type: "string", default: String(DEEDS_DEFAULT) },
    "all-events": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const wanted = {
      json: values.json,
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
      deeds: Number(values.deeds),
      rules: values["all-events"] ? [STARTER_RULES, ALL_EVENTS_RULES] : [STARTER_RULES],
    };
    const good = [wanted.rounds, wanted.deeds].every((value) => Number.isInteger(value) && value >= 1);
    if (values.help) return "";
    return good && wanted.seconds > 0 ? wanted : "rounds and deeds are whole numbers from 1 on, seconds is above 0";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Progress goes to standard error, so that standard output is the report. */
function say(text: string): void {
  console.error(text);
}

interface Context {
  folder: string;
  load: Load;
  plans: readonly StormPlan[];
  wanted: Wanted;
  signal: AbortSignal;
  into: Measurements;
}

async function roundOff({ load, plans, signal, into }: Context, round: number): Promise<void> {
  for (const plan of plans) {
    const run = await runStorm(load, plan, round, signal);
    into.off.push(run);
    say(`round ${round}, off: ${plan.name}: ${run.done} operations`);
  }
}

async function roundOn({ folder, load, plans, wanted, signal, into }: Context, round: number): Promise<void> {
  const sensor = await Sensor.start(folder, wanted.rules);
  try {
    into.startS.push(sensor.startS);
    for (const { stage, version, facts } of await sensor.statuses()) {
      into.versions[stage] = version;
      for (const [name, value] of Object.entries(facts)) {
        if (FACTS_SHOWN.test(name)) into.versions[`${stage} ${name}`] = value;
      }
    }
    for (const plan of plans) {
      signal.throwIfAborted();
      const run = await runStormWatched(load, plan, round, sensor, signal);
      into.on.push(run);
      const { submitted, dropped } = run.ledger;
      say(`round ${round}, on:  ${plan.name}: ${run.done} operations, ${submitted} submitted, ${dropped} dropped`);
    }
    into.memory.push(sensor.memory());
    const watch = await ArrivalWatch.open(sensor.stateDir);
    try {
      into.latencies.push(...(await runLatency(load, watch, wanted.deeds, round, signal)));
    } finally {
      await watch.close();
    }
  } finally {
    await sensor.stop();
  }
}

async function measure(wanted: Wanted, folder: string, signal: AbortSignal): Promise<Measurements> {
  const into: Measurements = { off: [], on: [], latencies: [], memory: [], startS: [], versions: {} };
  const load = await Load.compile(folder);
  const plans = planStorms(wanted.seconds);
  const context: Context = { folder, load, plans, wanted, signal, into };
  for (let round = 1; round <= wanted.rounds; round++) {
    const order = round % 2 === 1 ? [roundOff, roundOn] : [roundOn, roundOff];
    for (const half of order) {
      signal.throwIfAborted();
      await half(context, round);
    }
  }
  return into;
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = readArguments(args);
  if (typeof wanted === "string") {
    console.error(wanted === "" ? USAGE : `${wanted}\n${USAGE}`);
    return wanted === "" ? 0 : 2;
  }
  if (process.getuid?.() !== 0) {
    console.error("this benchmark runs the real sensor, which needs root: try it with sudo");
    return 1;
  }
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const machine = thisMachine();
  const folder = mkdtempSync(join(tmpdir(), "nightjar-bench-"));
  try {
    const report = reportOf(machine, await measure(wanted, folder, abort.signal));
    console.log(wanted.json ? JSON.stringify(report) : reportText(report));
    return 0;
  } catch (error) {
    console.error(abort.signal.aborted ? "stopped" : (error as Error).message);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
