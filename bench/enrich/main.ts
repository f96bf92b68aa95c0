// Measures the enricher: CPU of events and of execs, the tree that is read at a start, and memory at 100,000 processes.
//
//   nightjar bench enrich [--json] [--rounds N]
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { eventsRecording, execsRecording, processesRecording } from "./recordings.ts";
import { type Figures, type Name, reportOf, reportText } from "./report.ts";

const ROUNDS_DEFAULT = 5;
const BATCHES = 200;
const EXECS = 60_000;
const PROGRAMS = 2_000;
const PROCESSES_IN_MEMORY = 100_000;
const PROCESSES_RUNNING = 10_000;
const USAGE = "usage: nightjar bench enrich [--json] [--rounds N]";
const ENRICHER = join(import.meta.dirname, "../../services/enricher/dist/main.js");

const say = (text: string): void => console.error(text);

function readArguments(args: readonly string[]): { json: boolean; rounds: number } | string {
  const options = {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: String(ROUNDS_DEFAULT) },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return "";
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1) return "rounds is a whole number from 1";
    return { json: values.json, rounds };
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs one measurement of the enricher in a process of its own. */
async function measure(name: Name, recording: Buffer | undefined, signal: AbortSignal): Promise<Figures> {
  const argv = ["--expose-gc", ENRICHER, "--measure", name];
  const child = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"], signal });
  child.stdin.end(recording);
  const [said, [code]] = await Promise.all([textOf(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`${name}: ended with ${code}`);
  return JSON.parse(said) as Figures;
}

/** Measures the tree beside many processes that do nothing. */
async function measureTree(folder: string, signal: AbortSignal): Promise<Figures> {
  const program = join(folder, "sleepers");
  execFileSync("cc", ["-O2", "-static", "-o", program, join(import.meta.dirname, "sleepers.c")]);
  const sleepers = spawn(program, [String(PROCESSES_RUNNING)], { stdio: ["pipe", "pipe", "inherit"], signal });
  const ended = once(sleepers, "exit");
  try {
    await Promise.race([
      once(sleepers.stdout, "data"),
      ended.then(([code]) => Promise.reject(new Error(`ended ${code}`))),
    ]);
    return await measure("tree", undefined, signal);
  } finally {
    sleepers.stdin.end();
    await ended;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = readArguments(args);
  if (typeof wanted === "string") {
    say(wanted === "" ? USAGE : `${wanted}\n${USAGE}`);
    return wanted === "" ? 0 : 2;
  }
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const folder = mkdtempSync(join(tmpdir(), "nightjar-bench-"));
  const { signal } = abort;
  try {
    const [events, execs] = [eventsRecording(BATCHES), execsRecording(EXECS, PROGRAMS)];
    const processes = processesRecording(PROCESSES_IN_MEMORY);
    const runs: Record<Name, Figures[]> = { events: [], execs: [], tree: [], memory: [] };
    for (let round = 1; round <= wanted.rounds; round++) {
      runs.events.push(await measure("events", events, signal));
      runs.execs.push(await measure("execs", execs, signal));
      runs.tree.push(await measureTree(folder, signal));
      runs.memory.push(await measure("memory", processes, signal));
      say(`round ${round} of ${wanted.rounds}`);
    }
    const report = reportOf(runs);
    console.log(wanted.json ? JSON.stringify(report) : reportText(report));
    return 0;
  } catch (error) {
    say(signal.aborted ? "stopped" : (error as Error).message);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
