// The addon under the sanitizers, its encoder under the fuzzer, and what is left after it was loaded 200 times.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { encode } from "dns-packet";
import { build } from "esbuild";
import { whyNoKernel } from "../harness/sensor.ts";

const PROBE = fileURLToPath(new URL("../../native-probe", import.meta.url));
const OBJECT = join(PROBE, "build", "nightjar.bpf.o");
/** Inputs for the encoder; NIGHTJAR_FUZZ_SECONDS says how long instead, for nights. */
const FUZZ_RUNS = 100_000;
/** A record's struct and its tail. */
const FUZZ_BYTES_MAX = 24_576;
const DNS_FUZZ_RUNS = 500_000;
const DNS_BYTES_MAX = 4_096;
/** No message takes longer. */
const DNS_ANSWER_S_MAX = 5;
/** What the fuzzer begins with: behind the byte that says how it came, a question, and an answer of several kinds. */
const DNS_SEEDS = [
  encode({ type: "query", id: 1, questions: [{ type: "AAAA", name: "www.example.test" }] }),
  Buffer.from(
    "000781800001000300000000037777770765786d61706c65047465737400000100" +
      "01c00c000500010000003c0007046d61696ec010c02e000100010000003c0004c0000207c010000f00010000003c0004000ac02e",
    "hex",
  ),
].map((message) => Buffer.concat([Buffer.of(0), message]));
const CYCLES = 200;
/** Less than one ring or one buffer of the encoder a cycle; V8's own heap breathes by some MiB. */
const GROWTH_BYTES_MAX = 32 * 1024 * 1024;
const TEST_TIMEOUT_MS = 10 * 60_000;

const reason = whyNoKernel();
const why = reason ? ` (${reason})` : "";
const kernelTest = reason ? test.serial.skip : test.serial;

/** The sanitized addon and the fuzzer, built once. */
let built: string | undefined;
function sanitized(t: ExecutionContext): string {
  if (built !== undefined) return built;
  const folder = temporaryFolder({ teardown: (end) => process.once("exit", () => void end()) });
  execFileSync(process.execPath, [join(PROBE, "scripts", "sanitize.ts"), folder]);
  t.log("built with the sanitizers");
  built = folder;
  return folder;
}

test.serial("no DNS message, however broken, makes its reader read where it must not, or go on for ever", (t) => {
  t.timeout(TEST_TIMEOUT_MS);
  const folder = sanitized(t);
  const corpus = join(temporaryFolder(t), "corpus");
  mkdirSync(corpus);
  for (const [index, message] of DNS_SEEDS.entries()) writeFileSync(join(corpus, `seed-${index}`), message);
  const { NIGHTJAR_FUZZ_SECONDS: seconds } = process.env;
  const limit = seconds ? `-max_total_time=${seconds}` : `-runs=${DNS_FUZZ_RUNS}`;
  const args = [limit, `-max_len=${DNS_BYTES_MAX}`, `-timeout=${DNS_ANSWER_S_MAX}`, `-artifact_prefix=${corpus}/`];
  const { status, stderr } = spawnSync(join(folder, "dns-fuzz"), [...args, corpus], { encoding: "utf8" });
  t.is(status, 0, stderr.slice(-8_000));
  t.log(stderr.trim().split("\n").at(-1) ?? "");
});

test.serial("no record, however broken, makes the encoder read or write where it must not", (t) => {
  t.timeout(TEST_TIMEOUT_MS);
  const folder = sanitized(t);
  const corpus = join(temporaryFolder(t), "corpus");
  mkdirSync(corpus);
  const { NIGHTJAR_FUZZ_SECONDS: seconds } = process.env;
  const limit = seconds ? `-max_total_time=${seconds}` : `-runs=${FUZZ_RUNS}`;
  const args = [limit, `-max_len=${FUZZ_BYTES_MAX}`, `-artifact_prefix=${corpus}/`, corpus];
  const { status, stderr } = spawnSync(join(folder, "encoder-fuzz"), args, {
    encoding: "utf8",
    env: { ...process.env, NIGHTJAR_FUZZ_OBJECT: OBJECT },
  });
  t.is(status, 0, stderr.slice(-8_000));
  t.log(stderr.trim().split("\n").at(-1) ?? "");
});

kernelTest(`the addon does nothing undefined while it is used${why}`, async (t) => {
  t.timeout(TEST_TIMEOUT_MS);
  const built = sanitized(t);
  const folder = temporaryFolder(t);
  await build({
    entryPoints: [join(import.meta.dirname, "exercise.ts")],
    outfile: join(folder, "exercise.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
  });
  copyFileSync(OBJECT, join(folder, "nightjar.bpf.o"));
  copyFileSync(join(built, "nightjar_probe.node"), join(folder, "nightjar_probe.node"));
  const runtime = execFileSync("clang", ["-print-file-name=libclang_rt.asan-x86_64.so"], { encoding: "utf8" }).trim();
  const env = {
    LD_PRELOAD: runtime,
    // Node lets go of nothing at its end; the addon's own leaks are found by their frames.
    ASAN_OPTIONS: "detect_leaks=1:detect_stack_use_after_return=1",
    LSAN_OPTIONS: "exitcode=0:max_leaks=0",
    UBSAN_OPTIONS: "print_stacktrace=1",
  };
  const exercise = startProcess(t, process.execPath, [join(folder, "exercise.mjs")], { env });
  const exit = await exercise.exited;
  t.deepEqual(exit, { code: 0, signal: null }, exercise.stderr.slice(-8_000));
  t.notRegex(exercise.stderr, /ERROR: AddressSanitizer|runtime error:|nightjar::/, "a sanitizer has found something");
  t.log(exercise.stdout.trim().split("\n").join("; "));
});

kernelTest(`loaded and unloaded ${CYCLES} times, the probe leaves nothing behind${why}`, async (t) => {
  t.timeout(TEST_TIMEOUT_MS);
  const args = ["--expose-gc", join(import.meta.dirname, "cycle.ts"), String(CYCLES)];
  const cycle = startProcess(t, process.execPath, args);
  t.deepEqual(await cycle.exited, { code: 0, signal: null }, cycle.stderr);
  const { before, after } = JSON.parse(cycle.stdout);
  t.log(JSON.stringify({ before, after }));
  // Node opens one or the other for itself meanwhile; what a cycle leaves behind would be there 200 times.
  t.true(after.descriptors - before.descriptors < CYCLES / 10, "descriptors grow with each cycle");
  t.true(after.threads - before.threads < CYCLES / 10, "threads grow with each cycle");
  t.true(after.residentBytes - before.residentBytes < GROWTH_BYTES_MAX, "memory grows with each cycle");
});
