// The file output on a real disk: whole lines, rotated, also after a crash, and where the file is none.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { encodedDetection } from "../encoded.ts";
import { detection } from "../testing.ts";
import { runOutput } from "./testing.ts";

const WAIT_MS = 30_000;
const BYTES_MAX = 64 * 1024;
const ROUNDS = 12;

const until = (condition: () => boolean, what: string) => waitFor(condition, { what, timeoutMs: WAIT_MS });
const linesOf = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);

test("detections are lines of JSON, readable to the owner and the group alone", async (t) => {
  const path = join(temporaryFolder(t), "log", "detections.json");
  const { running } = await runOutput(t, "file", { file_path: path });
  const sent = [detection(), detection()];
  await running.keep(sent.map(encodedDetection));
  await until(() => running.status.sent === 2n, "both are written");
  const uuids = linesOf(path).map((line) => JSON.parse(line).uuid.replaceAll("-", ""));
  t.deepEqual(uuids.toSorted(), sent.map(({ id }) => id).toSorted());
  t.is(statSync(path).mode & 0o777 & 0o137, 0);
});

test("a file that is full is put aside, so many are kept, and no line is torn", async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "detections.json");
  const { running } = await runOutput(t, "file", { file_path: path, file_bytes_max: BYTES_MAX, file_kept: 2 });
  for (let round = 1; round <= ROUNDS; round++) {
    await running.keep([detection({ output: `${round} ${"x".repeat(BYTES_MAX / 3)}` })].map(encodedDetection));
    await until(() => running.status.sent === BigInt(round), `${round} are written`);
  }
  t.deepEqual(readdirSync(folder).sort(), ["detections.json", "detections.json.1", "detections.json.2"]);
  const kept = [`${path}.2`, `${path}.1`, path].flatMap((one) => {
    t.true(statSync(one).size <= BYTES_MAX);
    return linesOf(one).map((line) => Number.parseInt(JSON.parse(line).output.split(" ")[2], 10));
  });
  t.deepEqual(kept, [7, 8, 9, 10, 11, 12]);
});

test("a line that a crash cut short does not spoil the next", async (t) => {
  const path = join(temporaryFolder(t), "detections.json");
  appendFileSync(path, '{"hostname":"cr');
  const { running } = await runOutput(t, "file", { file_path: path });
  await running.keep([detection({ rule: "whole" })].map(encodedDetection));
  await until(() => running.status.sent === 1n, "it is written");
  t.is(JSON.parse(linesOf(path)[1] ?? "").rule, "whole");
});

test("what is no regular file is not written to, and the detections wait", async (t) => {
  const path = join(temporaryFolder(t), "folder");
  mkdirSync(path);
  const { running, issues } = await runOutput(t, "file", { file_path: path });
  await running.keep([detection()].map(encodedDetection));
  await until(() => issues.get("file failing")?.includes(path) === true, "it fails");
  t.is(running.status.waiting, 1n);
  t.true(existsSync(path));
});
