// Runs the tests of tests/events under other kernels, each in a virtual machine, and writes down what attached where.
//
//   node tests/kernels/run.ts [--page] [--functions] [--events NAME]... [VERSION]...
//
// Without a version all are run. --functions has system calls seen at the ends of their functions. What the last run of
// each kernel told is kept as JSON in .tools/kernels/results; --page writes all of it into docs/kernels.md. The last
// line is for programs: "N passed, N failed", with ", N skipped" where some were. Ends with 0 when nothing failed, 1
// when something did, 2 when the arguments are wrong. Needs root; what is missing is installed from Debian's archive,
// kernels only unpacked.
import { execFileSync } from "node:child_process";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { allFolders, bundleFolder, bundleTests } from "./bundle.ts";
import { type Kernel, kernels } from "./kernels.ts";
import { runIn } from "./machine.ts";
import { writePage } from "./page.ts";
import { addMissing, countOf, cutShort, emptyResult, keep, kept, type Place, type Result, readLine } from "./result.ts";

const root = dirname(dirname(import.meta.dirname));
/** Deadlines in the machine are so many times as long: without KVM it is 10 to 60 times slower than this one. */
const EMULATION_TIME_FACTOR = 12;

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

/** What the machine is told to do. */
function commandFor(place: Place): string {
  const path = [dirname(process.execPath), "$PATH"].join(":");
  return [
    `cd '${bundleFolder}'`,
    `export PATH=${path} NODE_COMPILE_CACHE=/run/compiled NO_COLOR=1 NIGHTJAR_COLLECTOR_CALLS_SEEN_AT=${place}`,
    `export NIGHTJAR_TEST_TIME_FACTOR=${EMULATION_TIME_FACTOR}`,
    "node attached.js",
    `node '${join(root, "node_modules/ava/entrypoints/cli.js")}' --tap`,
  ].join("\n");
}

interface Choices {
  place: Place;
  /** Folders of tests/events; none for all. */
  events: string[];
  page: boolean;
}

interface Run extends Choices {
  /** The test files, as result.ts names them. */
  files: readonly string[];
  signal: AbortSignal;
}

async function runKernel(kernel: Kernel, release: string, { place, events, files, signal }: Run): Promise<Result> {
  const result = emptyResult(kernel, release, place, events);
  const folder = join(root, ".tools/kernels", kernel.suite);
  const started = performance.now();
  console.log(`== ${kernel.version} (${release}), calls seen at the ${place}`);
  let last = started;
  const onLine = (line: string) => {
    const now = performance.now();
    const test = readLine(line, result, Math.round((now - last) / 100) / 10);
    if (test) last = now;
    if (test) console.log(`   ${test.outcome} ${test.file}: ${test.title} (${test.seconds} s)`);
    // The diagnosis below a failed test.
    else if (!/^(TAP version|1\.\.\d|# |\{|\s*$)/.test(line)) console.log(`    ${line}`);
  };
  try {
    const machine = { folder, release, commandLine: kernel.commandLine };
    const code = await runIn(machine, commandFor(place), onLine, signal);
    if (code !== 0 && countOf([result], "failed") === 0) result.error = `ava ended with ${code}`;
  } catch (error) {
    result.error = (error as Error).message;
  }
  if (signal.aborted) cutShort(result);
  else addMissing(files, result);
  if (result.tests.length > 0) keep(result, allFolders());
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`   ${kernel.version}: ${inWords([result])} (${seconds} s)`);
  for (const { program, point, attached, code } of result.attachments)
    console.log(`   ${attached ? "attached" : (code ?? "refused").padEnd(8)} ${point} (${program})`);
  if (result.error) console.log(`   ${result.error}\n${result.cause ?? ""}`);
  return result;
}

function inWords(results: readonly Result[]): string {
  const skipped = countOf(results, "skipped");
  const counts = `${countOf(results, "passed")} passed, ${countOf(results, "failed")} failed`;
  return skipped > 0 ? `${counts}, ${skipped} skipped` : counts;
}

async function runAll(wanted: readonly Kernel[], choices: Choices): Promise<number> {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const releases = prepare(wanted);
  const run = { ...choices, files: await bundleTests(choices.events), signal: abort.signal };
  const results: Result[] = [];
  for (const kernel of wanted) {
    const release = releases.get(kernel.suite) ?? "";
    if (!abort.signal.aborted) results.push(await runKernel(kernel, release, run));
  }
  if (choices.page && !abort.signal.aborted) {
    const page = writePage(kept(kernels, "tracepoint"), kept(kernels, "functions"));
    console.log(`written: ${relative(root, page)}`);
  }
  console.log(inWords(results));
  const isWhole = !abort.signal.aborted && results.every(({ error }) => error === undefined);
  return isWhole && countOf(results, "failed") === 0 ? 0 : 1;
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
    const place = values.functions ? "functions" : "tracepoint";
    return await runAll(wanted, { events: values.events ?? [], page: values.page, place });
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
}

process.exitCode = await main();
