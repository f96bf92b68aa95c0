// Runs the tests of tests/events under other kernels, each in a virtual machine, and writes down what attached where.
//
//   node tests/kernels/run.ts [--page] [--functions] [--events NAME]... [VERSION]...
//
// Without a version all are run. --page writes the result into docs/kernels.md; --functions has system calls seen at
// the ends of their functions, which takes an emulated machine long. The last line is for programs: "N passed, N
// failed", with ", N skipped" where some were. Ends with 0 when nothing failed, 1 when something did, 2 when
// the arguments are wrong. Needs root; what is missing is installed from Debian's archive, kernels only unpacked.
import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { bundleTests } from "./bundle.ts";
import { type Kernel, kernels } from "./kernels.ts";
import { runIn } from "./machine.ts";
import { type Result, writePage } from "./page.ts";

const root = dirname(dirname(import.meta.dirname));
const bundle = join(import.meta.dirname, "build");

/** Downloads and unpacks what is not there yet; the releases by suite. */
function prepare(wanted: readonly Kernel[]): Map<string, string> {
  const suites = wanted.map(({ suite }) => suite);
  const answer = execFileSync(join(import.meta.dirname, "prepare.sh"), suites, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = answer.trim().split("\n");
  return new Map(lines.map((line) => line.split(" ") as [string, string]));
}

/** What the machine is told to do. A compiled script is kept for the test files that follow. */
function commandFor(place: string): string {
  const tests = globSync("*/*.test.js", { cwd: bundle }).sort();
  const path = [dirname(process.execPath), "$PATH"].join(":");
  return [
    `cd '${bundle}'`,
    `export PATH=${path} NODE_COMPILE_CACHE=/run/compiled NO_COLOR=1 NIGHTJAR_COLLECTOR_CALLS_SEEN_AT=${place}`,
    "node attached.js",
    `node '${join(root, "node_modules/ava/entrypoints/cli.js")}' --tap ${tests.join(" ")}`,
  ].join("\n");
}

function readLine(line: string, result: Result): void {
  if (line.startsWith("{")) Object.assign(result, JSON.parse(line));
  else if (/^ok .*# (SKIP|TODO)/i.test(line)) result.skipped++;
  else if (line.startsWith("ok ")) result.passed++;
  else if (line.startsWith("not ok ")) result.failures.push(line.replace(/^not ok \d+ - (\w+ › )?/, ""));
  // A failed test's line and the diagnosis below it.
  if (!/^(TAP version|1\.\.\d|# |ok|\{|\s*$)/.test(line)) console.log(`    ${line}`);
}

async function runKernel(kernel: Kernel, release: string, place: string, signal: AbortSignal): Promise<Result> {
  const result: Result = { kernel, release, passed: 0, failures: [], skipped: 0, offers: [], attachments: [] };
  const folder = join(root, ".tools/kernels", kernel.suite);
  const started = performance.now();
  console.log(`== ${kernel.version} (${release})`);
  try {
    const machine = { folder, release, commandLine: kernel.commandLine };
    const code = await runIn(machine, commandFor(place), (line) => readLine(line, result), signal);
    if (code !== 0 && result.failures.length === 0) result.failures.push(`ava ended with ${code}`);
  } catch (error) {
    result.failures.push((error as Error).message);
    console.log(`    ${(error as Error).message}`);
  }
  if (result.passed + result.failures.length === 0) result.failures.push("no test ran");
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`   ${kernel.version}: ${inWords(result)} (${seconds} s)`);
  for (const { program, point, attached, code } of result.attachments)
    console.log(`   ${attached ? "attached" : (code ?? "refused").padEnd(8)} ${point} (${program})`);
  if (result.error) console.log(`   ${result.error}\n${result.cause ?? ""}`);
  return result;
}

function inWords({ passed, failures, skipped }: Pick<Result, "passed" | "failures" | "skipped">): string {
  return `${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

interface Choices {
  /** Folders of tests/events; none for all. */
  events: readonly string[];
  page: boolean;
  functions: boolean;
}

async function runAll(wanted: readonly Kernel[], { events, page, functions }: Choices): Promise<number> {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const releases = prepare(wanted);
  await bundleTests(bundle, events);
  const place = functions ? "functions" : "tracepoint";
  const results: Result[] = [];
  for (const kernel of wanted) {
    const release = releases.get(kernel.suite) ?? "";
    if (!abort.signal.aborted) results.push(await runKernel(kernel, release, place, abort.signal));
  }
  if (page && !abort.signal.aborted) console.log(`written: ${relative(root, writePage(results, events))}`);
  const sum = {
    passed: results.reduce((total, { passed }) => total + passed, 0),
    failures: results.flatMap(({ failures }) => failures),
    skipped: results.reduce((total, { skipped }) => total + skipped, 0),
  };
  console.log(inWords(sum));
  return sum.failures.length === 0 && !abort.signal.aborted ? 0 : 1;
}

async function main(): Promise<number> {
  const options = {
    page: { type: "boolean", default: false },
    functions: { type: "boolean", default: false },
    events: { type: "string", multiple: true },
  } as const;
  const known = kernels.map(({ version }) => version);
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((version) => !known.includes(version));
    if (unknown !== undefined) throw new Error(`no kernel is called "${unknown}"; there are: ${known.join(", ")}`);
    const wanted = kernels.filter(({ version }) => positionals.length === 0 || positionals.includes(version));
    const { events = [], page, functions } = values;
    return await runAll(wanted, { events, page, functions });
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
}

process.exitCode = await main();
