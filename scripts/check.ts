// Runs every static check of the tree, two at a time, and says in one line each how it went.
//
//   node scripts/check.ts [--list] [--only NAME]...
//
// The last line is for programs: "N passed, N failed". Ends with 0 when nothing failed, 1 when something did, 2 when
// the arguments are wrong.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";

const CHECKS_AT_ONCE_MAX = Math.min(2, availableParallelism());
const OUTPUT_BYTES_MAX = 256 * 1024;
const CHECK_SECONDS_MAX = 300;

const root = dirname(import.meta.dirname);

interface Check {
  name: string;
  command: readonly string[];
  /** Where it runs, relative to the root. */
  folder?: string;
}

interface Outcome {
  ok: boolean;
  seconds: number;
  output: string;
}

// Everything in the tree, what is new too, but nothing that is ignored or was deleted.
function filesOfTree(...patterns: string[]): string[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...patterns];
  const names = execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0");
  return names.filter((name) => name !== "" && existsSync(join(root, name)));
}

function typecheckOf(manifest: string): Check | undefined {
  const { name, scripts } = JSON.parse(readFileSync(join(root, manifest), "utf8"));
  if (!scripts?.typecheck) return undefined;
  return { name: `tsc ${name.replace("@nightjar/", "")}`, command: ["tsc", "-p", "."], folder: dirname(manifest) };
}

function allChecks(): Check[] {
  const native = filesOfTree("*.c", "*.h", "*.cc", "*.cpp").filter((name) => !name.endsWith("vmlinux.h"));
  const format = { name: "clang-format", command: ["clang-format", "--dry-run", "-Werror", ...native] };
  const checks: (Check | undefined)[] = [
    { name: "biome", command: ["biome", "ci", "--colors=off", "--error-on-warnings", "."] },
    { name: "buf lint", command: ["buf", "lint"], folder: "proto" },
    { name: "buf format", command: ["buf", "format", "--diff", "--exit-code"], folder: "proto" },
    { name: "boundaries", command: ["turbo", "boundaries"] },
    { name: "knip", command: ["knip", "--no-progress"] },
    native.length > 0 ? format : undefined,
    { name: "tsc scripts", command: ["tsc", "-p", "."], folder: "scripts" },
    ...filesOfTree("*/package.json").map(typecheckOf),
  ];
  return checks.filter((check) => check !== undefined);
}

function run(check: Check, signal: AbortSignal): Promise<Outcome> {
  const start = performance.now();
  const [program = "", ...args] = check.command;
  const path = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`;
  const env = { ...process.env, PATH: path, NO_COLOR: "1", TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const cwd = join(root, check.folder ?? ".");
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_SECONDS_MAX * 1000)]);
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], signal: limit });
  let output = "";
  const collect = (chunk: Buffer) => {
    if (output.length < OUTPUT_BYTES_MAX) output += chunk.toString();
  };
  const end = (ok: boolean) => resolve({ ok, seconds: (performance.now() - start) / 1000, output });
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.on("error", (error) => {
    output += `${program}: ${error.message}\n`;
    end(false);
  });
  child.on("close", (code, signalName) => {
    if (signalName) output += `${program} was ended by ${signalName}\n`;
    end(code === 0);
  });
  return promise;
}

async function runAll(checks: readonly Check[]): Promise<number> {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => abort.abort());
  const waiting = checks.values();
  let failed = 0;
  const worker = async () => {
    for (const check of waiting) {
      const { ok, seconds, output } = await run(check, abort.signal);
      console.log(`${ok ? "ok    " : "FAILED"} ${check.name} (${seconds.toFixed(1)} s)`);
      if (ok) continue;
      failed++;
      console.log(output.trimEnd().replaceAll(/^/gm, "       "));
    }
  };
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE_MAX }, worker));
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const options = { list: { type: "boolean" }, only: { type: "string", multiple: true } } as const;
  let values: { list?: boolean; only?: string[] };
  try {
    values = parseArgs({ options }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\nusage: node scripts/check.ts [--list] [--only NAME]...`);
    return 2;
  }
  const checks = allChecks();
  const names = new Set(checks.map((check) => check.name));
  const unknown = values.only?.find((name) => !names.has(name));
  if (unknown !== undefined) {
    console.error(`no check is called "${unknown}"; there are: ${[...names].join(", ")}`);
    return 2;
  }
  if (values.list) {
    console.log([...names].join("\n"));
    return 0;
  }
  return runAll(values.only ? checks.filter((check) => values.only?.includes(check.name)) : checks);
}

process.exitCode = await main();
