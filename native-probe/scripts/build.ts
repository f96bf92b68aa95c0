// Builds the probe: generated headers, the kernel programs' object, the addon. What has not changed is not built again.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { compilerArguments } from "./compile.ts";
import { generate } from "./generate.ts";
import { nodeGyp } from "./node-gyp.ts";

const folder = dirname(import.meta.dirname);
const buildFolder = join(folder, "build");
const objectPath = join(buildFolder, "nightjar.bpf.o");
const addonPath = join(buildFolder, "Release", "nightjar_probe.node");

/** Node's names of machines, as bpf_tracing.h knows them. */
const TARGETS: Record<string, string> = { x64: "x86", arm64: "arm64" };

function fail(what: string): never {
  process.stderr.write(`native-probe: ${what}\n`);
  process.exit(1);
}

function run(command: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  if (status === 0) return;
  const why = error ? error.message : `it ended with ${status}`;
  fail(`${why}\n  ${[command, ...args].join(" ")}\n${stdout ?? ""}${stderr ?? ""}`);
}

/** Runs `build` unless its inputs, contents and commands alike, are those of the last time. */
function once(name: string, output: string, inputs: readonly string[], salt: string, build: () => void): void {
  const hash = createHash("sha256").update(salt);
  for (const path of inputs) hash.update(`\0${path}\0`).update(readFileSync(join(folder, path)));
  const stamp = join(buildFolder, `${name}.stamp`);
  const digest = hash.digest("hex");
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  rmSync(stamp, { force: true });
  build();
  writeFileSync(stamp, digest);
}

const filesIn = (sub: string) =>
  readdirSync(join(folder, sub), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

function buildObject(): void {
  const target = TARGETS[process.arch] ?? fail(`the machine ${process.arch} is not supported`);
  const args = compilerArguments(target, objectPath);
  once("object", objectPath, [...filesIn("bpf"), ...filesIn("gen")], args.join(" "), () => {
    run("clang", args);
    // Its line tables are for debuggers; BTF stays. Without the tool the object is larger, nothing else.
    spawnSync("llvm-strip", ["-g", objectPath]);
  });
}

function buildAddon(): void {
  const args = [...nodeGyp(), "--jobs=max"];
  const inputs = ["binding.gyp", "bpf/shared.h", ...filesIn("addon"), ...filesIn("gen")];
  once("addon", addonPath, inputs, `${process.version} ${process.arch}`, () => run(process.execPath, args));
}

mkdirSync(buildFolder, { recursive: true });
generate(join(folder, "gen"));
buildObject();
buildAddon();
