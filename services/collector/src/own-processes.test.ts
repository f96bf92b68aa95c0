// The sensor's own processes are known by number and start time, from the bus and from the supervisor's record.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { create } from "@bufbuild/protobuf";
import { StageStatusSchema } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import { startProcess, temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { ownProcesses } from "./own-processes.ts";

/** Field 22 of a process whose name has no blanks. */
function startTicks(pid: number): bigint {
  return BigInt(readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[21] as string);
}

const found = (stateDir: string, status: { pid: number; childPids: number[] }) =>
  ownProcesses([create(StageStatusSchema, status)], stateDir);

function writeRecord(stateDir: string, text: string): void {
  mkdirSync(dirname(statePaths.supervisor(stateDir)), { recursive: true });
  writeFileSync(statePaths.supervisor(stateDir), text);
}

test("finds the stages, what they started, and those the supervisor started, each once", async (t) => {
  const stateDir = temporaryFolder(t);
  const [stage, child, portal] = [0, 1, 2].map(() => startProcess(t, "sleep", ["60"]).pid) as [number, number, number];
  writeRecord(
    stateDir,
    JSON.stringify({ pid: process.ppid, stages: { portal: { pid: portal }, stage: { pid: stage } } }),
  );
  const processes = found(stateDir, { pid: stage, childPids: [child] });
  const pids = processes.map(({ pid }) => pid);
  t.deepEqual([...pids].sort(), [process.pid, process.ppid, stage, child, portal].sort());
  for (const { pid, startTicks: ticks } of processes.filter(({ pid }) => pid !== process.ppid && pid !== process.pid)) {
    t.is(ticks, startTicks(pid));
  }
});

test("a process whose name looks like fields is told right", async (t) => {
  const stateDir = temporaryFolder(t);
  const rename = `require("node:fs").writeFileSync("/proc/self/comm", ") S 1 2 (3");
    console.log("renamed");
    process.stdin.resume();`;
  const odd = startProcess(t, process.execPath, ["-e", rename]);
  await odd.line(/renamed/);
  const processes = found(stateDir, { pid: odd.pid, childPids: [] });
  const stat = readFileSync(`/proc/${odd.pid}/stat`, "utf8");
  t.regex(stat, /\(\) S 1 2 \(3\)/);
  t.is(processes.find(({ pid }) => pid === odd.pid)?.startTicks, BigInt(stat.split(" ").at(21 + 4) as string));
});

test("what has ended is left out; a record that is damaged or away is no failure", async (t) => {
  const stateDir = temporaryFolder(t);
  const gone = startProcess(t, "true");
  await gone.exited;
  const asked = () => found(stateDir, { pid: gone.pid, childPids: [] });
  const only = [process.pid];
  t.deepEqual(
    asked().map(({ pid }) => pid),
    only,
  );
  for (const text of ["", "{", "null", '{"pid":"1"}', '{"pid":null,"stages":{"a":{}}}']) {
    writeRecord(stateDir, text);
    t.deepEqual(
      asked().map(({ pid }) => pid),
      only,
      text,
    );
  }
});
