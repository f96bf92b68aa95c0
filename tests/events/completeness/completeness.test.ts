// Thousands of processes that live for a moment: each is there with its arguments, parent and end, or counted as lost.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess, TIME_FACTOR, temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, text, type Watch, watchKernel } from "../support/kernel.ts";

const TYPES = ["exec", "fork", "exit"] as const;
/** Fewer where all is slower. */
const PROCESSES = Math.ceil(20_000 / TIME_FACTOR);
const SIDE_BY_SIDE = 100;
/** strace stops each process at each call, so its run is smaller. */
const TRACED = 400;
/** As the deed reckons it. */
const STATUSES = 251;
/** 20,000 processes take 10 to 30 s; far more where other things run too. */
const TEST_TIMEOUT_MS = 5 * 60_000;

/** What someone says of the processes: by number, the pid and how it ended. */
type Account = Map<number, { pid: number; status: number }>;

function readAccount(output: string): Account {
  const lines = output.trim().split("\n");
  return new Map(
    lines.map((line) => {
      const [number = -1, pid = -1, status = -1] = line.split(" ").map(Number);
      return [number, { pid, status }];
    }),
  );
}

/** Runs a program while the probe's batches are taken: to wait for it in one go would let the ring fill. */
async function finished(t: ExecutionContext, command: string, args: readonly string[]) {
  const started = startProcess(t, command, args);
  t.deepEqual(await started.exited, { code: 0, signal: null }, started.stderr);
  return started;
}

interface Life {
  pid: number;
  parentPid: number;
  args: string[];
  forks: number;
  status?: number;
  exits: number;
}

const identity = (pid: number, start: bigint) => `${pid}:${start}`;

/** What the probe says of the leaves, by their number: of pids that were used twice each use is told apart. */
function livesOf(watch: Watch, parent: number): Map<number, Life> {
  const lives = new Map<number, Life>();
  const byIdentity = new Map<string, Life>();
  for (const { data, pid, parentPid, startTimeNs } of watch.events) {
    if (data.case !== "exec" || parentPid !== parent) continue;
    const args = data.value.args.map(text);
    const life = { pid, parentPid, args, forks: 0, exits: 0 };
    lives.set(Number(args[2]), life);
    byIdentity.set(identity(pid, startTimeNs), life);
  }
  for (const { data, pid, startTimeNs } of watch.events) {
    if (data.case === "fork") {
      const life = byIdentity.get(identity(data.value.childPid, data.value.childStartTimeNs));
      if (life) life.forks++;
    }
    if (data.case === "exit") {
      const life = byIdentity.get(identity(pid, startTimeNs));
      if (life) Object.assign(life, { status: data.value.code, exits: life.exits + 1 });
    }
  }
  return lives;
}

/** Compares the probe's account with a witness's; what the ledger says was dropped may be missing, nothing else. */
function compare(t: ExecutionContext, watch: Watch, parent: number, witness: Account): void {
  const lives = livesOf(watch, parent);
  const missing = { exec: 0, fork: 0, exit: 0 };
  for (const [number, { pid, status }] of witness) {
    const life = lives.get(number);
    if (!life) {
      missing.exec++;
      continue;
    }
    if (life.forks === 0) missing.fork++;
    if (life.exits === 0) missing.exit++;
    const told = [life.pid, life.parentPid, life.args.slice(1).join(" "), life.forks <= 1, life.exits <= 1];
    const expected = [pid, parent, `leaf ${number}`, true, true];
    // One assertion for each of 20,000 processes would be slower than the processes.
    if (told.join() !== expected.join()) t.deepEqual(told, expected);
    if (life.exits > 0 && life.status !== status) t.is(life.status, status);
  }
  t.is(lives.size, witness.size - missing.exec);
  for (const name of TYPES) {
    const ledger = watch.ledger(name);
    const dropped = [...ledger.drops.values()].reduce((sum, count) => sum + count, 0n);
    t.true(balances(ledger));
    t.true(BigInt(missing[name]) <= dropped, `${missing[name]} of ${name} are missing, ${dropped} were dropped`);
    t.log(`${name}: ${witness.size - missing[name]} of ${witness.size}, ${dropped} dropped`);
  }
}

kernelTest(`${PROCESSES} processes in bursts are all there, or counted`, async (t) => {
  t.timeout(TEST_TIMEOUT_MS);
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname, ["-static"]);
  const done = await finished(t, deed.path, ["burst", String(PROCESSES), String(SIDE_BY_SIDE)]);
  await watch.ended(done.pid);
  const witness = readAccount(done.stdout);
  t.is(witness.size, PROCESSES);
  compare(t, watch, done.pid, witness);
});

/** What strace saw: lines of "PID execve(…" and, when all has gone well, "PID +++ exited with N +++". */
function readTrace(trace: string): Account {
  const account: Account = new Map();
  const numbers = new Map<number, number>();
  for (const line of trace.split("\n")) {
    const [, pid, number] = line.match(/^(\d+) +execve\(.*"leaf", "(\d+)"\]/) ?? [];
    if (pid !== undefined) numbers.set(Number(pid), Number(number));
    const [, ended, status] = line.match(/^(\d+) +\+\+\+ exited with (\d+) \+\+\+$/) ?? [];
    const leaf = ended === undefined ? undefined : numbers.get(Number(ended));
    if (leaf !== undefined) account.set(leaf, { pid: Number(ended), status: Number(status) });
  }
  return account;
}

kernelTest(`an independent witness, strace, tells the same of ${TRACED} processes`, async (t) => {
  t.timeout(TEST_TIMEOUT_MS);
  const watch = watchKernel(t, { types: TYPES });
  const deed = compileDeed(t, import.meta.dirname, ["-static"]);
  const trace = join(temporaryFolder(t), "trace");
  const args = ["-f", "-q", "-e", "trace=execve", "-e", "signal=none", "-o", trace, deed.path];
  const done = await finished(t, "strace", [...args, "burst", String(TRACED), String(SIDE_BY_SIDE)]);
  await watch.ended(done.pid);
  const witness = readTrace(readFileSync(trace, "utf8"));
  t.is(witness.size, TRACED);
  t.true([...witness].every(([number, { status }]) => status === number % STATUSES));
  const parent = watch.of("exec", ({ data }) => data.args.map(text)[1] === "burst").at(-1)?.pid ?? -1;
  compare(t, watch, parent, witness);
});
