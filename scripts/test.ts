// Runs the test suites one after the other, and says in one line each how it went.
//
//   node scripts/test.ts [--list] [SUITE]... [-- AVA ARGUMENTS...]
//
// The last line is for programs: "N passed, N failed", with ", N skipped" where some were. Ends with 0 when nothing
// failed, 1 when something did, 2 when the arguments are wrong.
import { spawn } from "node:child_process";
import { globSync, readdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";

const root = dirname(import.meta.dirname);
/** Each test file is a process of its own: what they all import is compiled once for all of them. */
const COMPILE_CACHE = join(root, ".tools/compile-cache");
/** After SIGINT, how long a suite may take to clean up before it is killed. */
const STOP_MS_MAX = 20_000;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Suite {
  name: string;
  command: readonly string[];
  /** Adds what a line of output tells to the counts; true when the line shall be shown. */
  read: (line: string, counts: Counts) => boolean;
}

/** A failed test's line, the diagnosis below it, and whatever the tests print are shown; passed tests are counted. */
function readTap(line: string, counts: Counts): boolean {
  if (/^ok .*# (SKIP|TODO)/i.test(line)) {
    counts.skipped++;
    return true;
  }
  if (line.startsWith("ok ")) {
    counts.passed++;
    return false;
  }
  if (line.startsWith("not ok ")) {
    counts.failed++;
    return true;
  }
  return !/^(TAP version|1\.\.\d|# |ok|\s*$)/.test(line);
}

function readSummary(line: string, counts: Counts): boolean {
  const [, passed, failed, skipped] = line.match(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/) ?? [];
  if (passed === undefined) return !line.startsWith("ok ");
  counts.passed += Number(passed);
  counts.failed += Number(failed);
  counts.skipped += Number(skipped ?? 0);
  return false;
}

function avaSuite(name: string, ...args: string[]): Suite {
  return { name, command: ["ava", "--tap", ...args], read: readTap };
}

/** Suites that only run when they are named: they take long, and more than this machine. */
function namedSuites(): Suite[] {
  return [{ name: "kernels", command: ["node", "tests/kernels/run.ts"], read: readSummary }];
}

/** The checks, the unit tests, the house rules, then each folder of tests/ that has tests, by name. */
function allSuites(): Suite[] {
  const folders = readdirSync(join(root, "tests"))
    .filter((name) => !["house", "support", "node_modules"].includes(name))
    .filter((name) => globSync(`tests/${name}/**/*.test.ts`, { cwd: root }).length > 0)
    .sort();
  return [
    { name: "check", command: ["node", "scripts/check.ts"], read: readSummary },
    avaSuite("unit", "**/*.test.ts", "!tests/house/**"),
    avaSuite("house", "tests/house/**"),
    ...folders.map((name) => avaSuite(name, "--config", "ava.system.config.js", `tests/${name}/**`)),
  ];
}

async function run(suite: Suite, more: readonly string[], signal: AbortSignal): Promise<Counts> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const [program = "", ...args] = suite.command;
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH: path, NO_COLOR: "1", NODE_COMPILE_CACHE: COMPILE_CACHE };
  const child = spawn(program, [...args, ...more], { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  const stop = () => {
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX).unref();
  };
  signal.addEventListener("abort", stop, { once: true });
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, name) => resolve(code === 0 ? "" : `it ended with ${name ?? code}`));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (suite.read(line, counts)) console.log(`    ${line}`);
  }
  const problem = await ended;
  signal.removeEventListener("abort", stop);
  // A suite that did not end well has failed, whatever it counted before; so has one that ran nothing.
  const nothing = counts.passed + counts.failed + counts.skipped === 0 ? "it ran no test" : "";
  if (counts.failed === 0 && (problem || nothing)) {
    counts.failed = 1;
    console.log(`    ${suite.name}: ${problem || nothing}`);
  }
  return counts;
}

async function runAll(suites: readonly Suite[], more: readonly string[]): Promise<number> {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of suites) {
    if (abort.signal.aborted) break;
    console.log(`== ${suite.name}`);
    const started = performance.now();
    const counts = await run(suite, more, abort.signal);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`   ${suite.name}: ${inWords(counts)} (${seconds} s)`);
    for (const key of ["passed", "failed", "skipped"] as const) total[key] += counts[key];
  }
  if (abort.signal.aborted) total.failed++;
  console.log(inWords(total));
  return total.failed === 0 ? 0 : 1;
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

async function main(args: readonly string[]): Promise<number> {
  const always = allSuites();
  const suites = [...always, ...namedSuites()];
  const split = args.includes("--") ? args.indexOf("--") : args.length;
  const wanted = args.slice(0, split);
  const unknown = wanted.find((name) => name !== "--list" && !suites.some((suite) => suite.name === name));
  if (unknown !== undefined) {
    console.error(`no suite is called "${unknown}"; there are: ${suites.map((suite) => suite.name).join(", ")}`);
    return 2;
  }
  if (wanted.includes("--list")) {
    console.log(always.map((suite) => suite.name).join("\n"));
    return 0;
  }
  return runAll(
    wanted.length > 0 ? suites.filter((suite) => wanted.includes(suite.name)) : always,
    args.slice(split + 1),
  );
}

process.exitCode = await main(process.argv.slice(2));
