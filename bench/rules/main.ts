// Measures the rule engine over recorded events: events a second on one core, loading, and memory, for sets of rules.
//
//   nightjar bench rules [--json] [--rounds N] [--events FILE] [--keep FILE]
//
// Records the events itself, for which it needs root, unless it is given a recording that --keep made. The public rules
// are read from NIGHTJAR_CASES (../shared/cases beside the checkout by default).
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeRecordingHeader, encodeRecordingPart } from "@nightjar/events";
import { countTypes, readBatches } from "./batches.ts";
import type { Measured } from "./measure-process.ts";
import { recordEvents } from "./recorded-events.ts";
import { reportOf, reportText } from "./report.ts";
import { missingFolders, SETS, type SetName } from "./rule-sets.ts";

const ROUNDS_DEFAULT = 3;
/** How often the workload runs while events are recorded. */
const WORKLOAD_TIMES = 4;
const USAGE = "usage: nightjar bench rules [--json] [--rounds N] [--events FILE] [--keep FILE]";

interface Wanted {
  json: boolean;
  rounds: number;
  events?: string | undefined;
  keep?: string | undefined;
}

const say = (text: string): void => console.error(text);

function readArguments(args: readonly string[]): Wanted | string {
  const options = {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: String(ROUNDS_DEFAULT) },
    events: { type: "string" },
    keep: { type: "string" },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return "";
    const { json, events, keep } = values;
    const rounds = Number(values.rounds);
    return Number.isInteger(rounds) && rounds >= 1 ? { json, rounds, events, keep } : "rounds is a whole number from 1";
  } catch (error) {
    return (error as Error).message;
  }
}

async function record(folder: string, file: string, signal: AbortSignal): Promise<void> {
  say("recording events");
  const batches = await recordEvents(folder, SETS.both, WORKLOAD_TIMES, signal);
  writeFileSync(file, Buffer.concat([encodeRecordingHeader({}), ...batches.map(encodeRecordingPart)]));
}

function measure(set: SetName, recording: string): Measured {
  const program = join(import.meta.dirname, "measure-process.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", program, set, recording], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${set}: ${stderr}`);
  return JSON.parse(stdout) as Measured;
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = readArguments(args);
  if (typeof wanted === "string") {
    say(wanted === "" ? USAGE : `${wanted}\n${USAGE}`);
    return wanted === "" ? 0 : 2;
  }
  const [missing] = missingFolders();
  if (missing !== undefined) {
    say(`no rules in ${missing}: set NIGHTJAR_CASES to the folder of cases`);
    return 1;
  }
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const folder = mkdtempSync(join(tmpdir(), "nightjar-bench-"));
  try {
    const recording = wanted.events ?? wanted.keep ?? join(folder, "events.njr");
    if (wanted.events === undefined) await record(folder, recording, abort.signal);
    const runs: Measured[] = [];
    for (let round = 1; round <= wanted.rounds; round++) {
      for (const set of Object.keys(SETS) as SetName[]) {
        abort.signal.throwIfAborted();
        runs.push(measure(set, recording));
      }
      say(`round ${round} of ${wanted.rounds}`);
    }
    const report = reportOf(runs, countTypes(await readBatches(recording)));
    console.log(wanted.json ? JSON.stringify(report) : reportText(report));
    return 0;
  } catch (error) {
    say(abort.signal.aborted ? "stopped" : (error as Error).message);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
