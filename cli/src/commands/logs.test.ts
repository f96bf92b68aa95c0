// Tested on folders of logs made up: merged in the order of times, filtered, followed through a rotation, summarised.
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { runCli } from "../testing.ts";

function line(second: number, level: string, target: string, fields: object): string {
  const timestamp = new Date(Date.UTC(2026, 0, 2, 3, 4, second)).toISOString();
  return `${JSON.stringify({ timestamp, level, target, fields })}\n`;
}

const UNREACHABLE = { message: "comm error (401)", resp: '{"error":"invalid_client"}', code: "PORTAL_UNREACHABLE" };

function makeLogs(t: ExecutionContext): string {
  const stateDir = temporaryFolder(t);
  const folder = join(stateDir, "log");
  mkdirSync(folder);
  const write = (name: string, ...lines: string[]) => writeFileSync(join(folder, name), lines.join(""));
  write("uplink1.log", line(1, "INFO", "uplink", { message: "oldest" }), line(4, "ERROR", "uplink", UNREACHABLE));
  write("uplink.log", line(5, "ERROR", "uplink", UNREACHABLE), "torn {\n", line(7, "INFO", "uplink", { message: "x" }));
  write("bus.log", line(2, "WARN", "bus", { message: "second" }), line(6, "DEBUG", "bus", { message: "\u001b[2J" }));
  write("nats-server.log", "[7] 2026/01/02 03:04:03.000001 [ERR] no room\n");
  write("other.txt", "none of them\n");
  return stateDir;
}

const run = (stateDir: string, ...args: string[]) => runCli(["logs", "--state-dir", stateDir, ...args]);
const messages = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text).fields.message);

test("all logs are one, the oldest entry first, files that were set aside too", async (t) => {
  const { code, stdout } = await run(makeLogs(t), "uplink", "bus", "--json");
  t.is(code, 0);
  const torn = "torn {";
  t.deepEqual(messages(stdout), [
    ...["oldest", "second", UNREACHABLE.message, UNREACHABLE.message, torn],
    ...["\u001b[2J", "x"],
  ]);
});

test("what is logged cannot steer the terminal", async (t) => {
  const { stdout } = await run(makeLogs(t), "bus");
  t.regex(stdout, /^2026-01-02T03:04:06.000Z DEBUG bus {9}\\x1b\[2J$/m);
});

test("entries are chosen by level, time, text and number", async (t) => {
  const stateDir = makeLogs(t);
  t.deepEqual(messages((await run(stateDir, "bus", "--json", "--level", "warn")).stdout), ["second"]);
  t.deepEqual(messages((await run(stateDir, "--json", "--since", "2026-01-02T03:04:07Z")).stdout), ["x"]);
  t.deepEqual(messages((await run(stateDir, "--json", "--grep", "oldest")).stdout), ["oldest"]);
  t.deepEqual(messages((await run(stateDir, "--json", "--lines", "1")).stdout), ["x"]);
});

test("each distinct error is told once, nats-server's too", async (t) => {
  const { stdout } = await run(makeLogs(t), "--errors", "--json");
  const errors = stdout
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
  t.is(errors.length, 2);
  const portal = errors.find(({ message }) => message === UNREACHABLE.message);
  t.like(portal, { ...UNREACHABLE, targets: ["uplink"], count: 2, last: "2026-01-02T03:04:05.000Z" });
  const told = await run(makeLogs(t), "--errors");
  t.regex(told.stdout, /comm error \(401\), \{"error":"invalid_client"\}$/m);
});

test("what is not there is said", async (t) => {
  const stateDir = makeLogs(t);
  const unknown = await run(stateDir, "collector");
  t.deepEqual([unknown.code, unknown.stdout], [2, ""]);
  t.regex(unknown.stderr, /has no log of "collector"; it has bus, nats-server, uplink/);
  t.is((await run(temporaryFolder(t))).code, 1);
  t.is((await run(stateDir, "--since", "soon")).code, 2);
});

test("a log is followed through a rotation", async (t) => {
  const stateDir = makeLogs(t);
  const folder = join(stateDir, "log");
  const stop = new AbortController();
  const seen: string[] = [];
  const args = ["logs", "--state-dir", stateDir, "bus", "--json", "--follow"];
  const following = runCli(args, { signal: stop.signal, wrote: (text) => void seen.push(text) });
  const sees = (word: string) => waitFor(() => seen.join("").includes(word), { what: word });
  await sees("second");
  appendFileSync(join(folder, "bus.log"), line(8, "INFO", "bus", { message: "appended é" }));
  await sees("appended é");
  renameSync(join(folder, "bus.log"), join(folder, "bus1.log"));
  writeFileSync(join(folder, "bus.log"), line(9, "INFO", "bus", { message: "rotated" }));
  await sees("rotated");
  stop.abort();
  const { code, stdout } = await following;
  t.is(code, 0);
  t.deepEqual(messages(stdout).slice(-2), ["appended é", "rotated"]);
});
