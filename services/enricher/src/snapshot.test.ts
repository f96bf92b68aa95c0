// A snapshot of one tree, taken in by another: the same processes, ancestors and names, in messages of any size.
import { fromBinary } from "@bufbuild/protobuf";
import { BatchReader, WireError } from "@nightjar/events";
import { BatchSchema, ProcessState } from "@nightjar/proto";
import test from "ava";
import { Enricher } from "./enricher.ts";
import { type Actor, BOOT_ID_HEX, batchOf, exec, exit, fork, open, POSITION_STEP, testUsers } from "./fixture.ts";
import { TREE_LIMITS } from "./tree.ts";
import type { UserNames } from "./users.ts";

const shell: Actor = { pid: 100, start: 5_000_000_007n, name: "bash" };
const child: Actor = { pid: 200, start: 6_000_000_001n, name: "bash", parent: shell, uid: 1000 };
const OTHER_BOOT = "cd".repeat(16);

function enricherOf(bootId: string, users: UserNames = testUsers, outputBytesMax = 1_000_000): Enricher {
  return new Enricher({ bootId, lookup: () => undefined, users, outputBytesMax, limits: TREE_LIMITS });
}

/** An enricher that saw a shell start, fork, and its child run something. */
function watched(outputBytesMax?: number): Enricher {
  const enricher = enricherOf(BOOT_ID_HEX, testUsers, outputBytesMax);
  enricher.take(batchOf([exec(shell, "/bin/bash"), fork(shell, child), exec(child, "/bin/ls")]));
  return enricher;
}

/** How an event of the child is enriched: names of the processes, nearest first, and of its user. */
function lineageOf(enricher: Enricher, first: number): string[] {
  const { outputs } = enricher.take(batchOf([open(child)], first));
  if (outputs === "repeated") throw new Error("it was taken before");
  const bytes = outputs[0]?.bytes as Uint8Array;
  const { processes } = fromBinary(BatchSchema, bytes);
  return new BatchReader(bytes).lineage(0).map((row) => {
    const process = processes[row];
    return `${process?.pid} ${new TextDecoder().decode(process?.image?.executable)} ${process?.userName}`;
  });
}

test("what one tree knew, another knows from its snapshot", (t) => {
  const parts = [...watched().snapshot()];
  t.is(parts.length, 1);
  const other = enricherOf(OTHER_BOOT);
  for (const part of parts) other.take(part);
  const expected = lineageOf(watched(), 10 * POSITION_STEP);
  t.is(expected.length, 2);
  t.deepEqual(lineageOf(other, 10 * POSITION_STEP), expected);
});

test("why each process is kept is told, and an end that was seen is known to the other too", (t) => {
  const enricher = watched();
  enricher.take(batchOf([exit(shell), exit({ ...child, pid: 300, start: 7_000_000_001n })], 3 * POSITION_STEP));
  const statesOf = (of: Enricher) => {
    const rows = [...of.snapshot()].flatMap((part) => fromBinary(BatchSchema, part).processes);
    return Object.fromEntries(rows.map(({ pid, state, exitTimeNs }) => [pid, [state, exitTimeNs > 0n]]));
  };
  const { HOLDS_CHILD, RUNNING, PENDING } = ProcessState;
  const expected = { 100: [HOLDS_CHILD, true], 200: [RUNNING, false], 300: [PENDING, true] };
  t.deepEqual(statesOf(enricher), expected);
  const other = enricherOf(BOOT_ID_HEX);
  for (const part of enricher.snapshot()) other.take(part);
  t.deepEqual(statesOf(other), expected);
});

test("a snapshot says up to which event it knows", (t) => {
  const [part] = [...watched().snapshot()];
  const reader = new BatchReader(part as Uint8Array);
  t.deepEqual([reader.firstPosition, reader.nextPosition, reader.length], [3 * POSITION_STEP, 3 * POSITION_STEP, 0]);
  t.is(reader.sourceId.slice(0, 32), BOOT_ID_HEX);
});

test("in small parts, each stands for itself", (t) => {
  const bytesMax = 110;
  const parts = [...watched(bytesMax).snapshot()];
  t.true(parts.length > 1);
  for (const part of parts) {
    const { processes } = fromBinary(BatchSchema, part);
    t.true(processes.every(({ parent }) => parent <= processes.length));
  }
  const other = enricherOf(OTHER_BOOT);
  for (const part of parts) other.take(part);
  t.deepEqual(lineageOf(other, 10 * POSITION_STEP), lineageOf(watched(), 10 * POSITION_STEP));
});

test("a table of processes that is none is garbage, not a bug", (t) => {
  const enricher = watched();
  const [part] = [...enricher.snapshot()];
  const broken = [0x82, 0x01, 3, 0xff, 0xff, 0xff];
  const before = enricher.tree.size;
  t.throws(() => enricher.take(Buffer.concat([part as Uint8Array, Uint8Array.from(broken)])), {
    instanceOf: WireError,
  });
  t.is(enricher.tree.size, before);
});

test("a snapshot taken in twice, or by the tree it is of, changes nothing", (t) => {
  const enricher = watched();
  const parts = [...enricher.snapshot()];
  const before = enricher.tree.size;
  for (const part of [...parts, ...parts]) enricher.take(part);
  t.is(enricher.tree.size, before);
  t.is(lineageOf(enricher, 10 * POSITION_STEP).length, 2);
});
