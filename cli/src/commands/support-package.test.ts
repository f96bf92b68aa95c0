// Tested without a sensor, as when everything is down: the archive is whole, has no secrets, and says what is missing.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { extract } from "tar-stream";
import { runCli } from "../testing.ts";

const TOKEN = "tok-0123456789abcdef";
const SECRET = "AKIAIOSFODNN7EXAMPLE";
/** Above what the package may hold. */
const LONG_LOG_LINES = 100_000;
const SIZE_MIB = "2";
const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? test : test.skip;

/** A state folder with what a sensor that died leaves. */
function deadSensor(t: ExecutionContext): string {
  const stateDir = temporaryFolder(t);
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(stateDir, name)), { recursive: true });
    writeFileSync(join(stateDir, name), text);
  };
  const fields = { message: `comm error (401) of ${TOKEN}`, resp: `AWS_ACCESS_KEY_ID=${SECRET}` };
  const entry = { timestamp: "2026-01-02T03:04:05.000Z", level: "ERROR", target: "uplink", fields };
  write("log/uplink.log", `${JSON.stringify(entry)}\n`);
  write("log/enricher.log", "a line of a log that is too long\n".repeat(LONG_LOG_LINES));
  write("portal/token", `${TOKEN}\n`);
  write("bus/keys/operator.nk", "SUAEXAMPLEEXAMPLEEXAMPLE\n");
  write("enricher/crashes/1.json", '{"stack":"Error: at enrich"}\n');
  return stateDir;
}

async function unpack(file: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const parser = extract();
  parser.end(gunzipSync(readFileSync(file)));
  for await (const entry of parser) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name.replace(/^[^/]+\//, ""), Buffer.concat(chunks).toString());
  }
  return files;
}

asRoot("with everything down there is a package, and its manifest says what could not be had", async (t) => {
  t.timeout(3 * 60_000);
  const stateDir = deadSensor(t);
  const file = join(temporaryFolder(t), "support.tar.gz");
  const { code, stderr } = await runCli([
    ...["support-package", "--state-dir", stateDir, "--output", file, "--size-max", SIZE_MIB],
  ]);
  t.is(code, 0, stderr);
  t.regex(stderr, /^\[1\/\d+\] sensor\/version\.txt: ok$/m);
  t.is(statSync(file).mode & 0o777, 0o600);
  const files = await unpack(file);
  const { items } = JSON.parse(files.get("manifest.json") ?? "");
  const row = (name: string) => items.find((one: { name: string }) => one.name === name);
  t.like(row("sensor/status.json"), { status: "failed" });
  t.regex(row("sensor/status.json").problem, /^exit code 4: .*no bus is known/);
  t.regex(row("sensor/bus.json").problem, /no bus is known/);
  t.like(row("system/ulimit.txt"), { status: "ok" });
  t.regex(files.get("system/ulimit.txt") ?? "", /^Max open files/m);
  t.regex(files.get("sensor/errors.txt") ?? "", /comm error \(401\)/);
  t.regex(files.get("crash/enricher/1.json") ?? "", /at enrich/);
  t.like(row("log/enricher.log"), { status: "left out", problem: "the package is full: --size-max" });
  t.false(files.has("log/enricher.log"));
  const all = [...files.values()].join("\n");
  for (const secret of [TOKEN, SECRET, "SUAEXAMPLE"]) t.false(all.includes(secret), secret);
});

asRoot("a package that is stopped, or cannot be written, leaves nothing", async (t) => {
  const stateDir = deadSensor(t);
  const folder = temporaryFolder(t);
  const file = join(folder, "support.tar.gz");
  const stopped = await runCli(["support-package", "--state-dir", stateDir, "--output", file], {
    signal: AbortSignal.abort(),
  });
  t.is(stopped.code, 1);
  t.deepEqual(readdirSync(folder), []);
  const nowhere = await runCli([
    "support-package",
    "--state-dir",
    stateDir,
    "--output",
    join(folder, "no", "x.tar.gz"),
  ]);
  t.is(nowhere.code, 1);
  t.regex(nowhere.stderr, /cannot be written: ENOENT/);
  writeFileSync(file, "");
  t.is((await runCli(["support-package", "--state-dir", stateDir, "--output", file])).code, 2);
});

(isRoot ? test.skip : test)("whoever is not root is told so", async (t) => {
  const { code, stderr } = await runCli(["support-package", "--state-dir", temporaryFolder(t)]);
  t.is(code, 5);
  t.regex(stderr, /must be run as root/);
});
