// What sources know goes with the events: in tables, each row once, in the parts that need it.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BatchReader } from "@nightjar/events";
import { BatchListSchema, BatchSchema, ContainerSchema, ExecutableSchema } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { Enricher } from "../enricher.ts";
import { FactsWriter } from "../facts.ts";
import {
  type Actor,
  BOOT_ID_HEX,
  batchOf,
  type EventInit,
  exec,
  fork,
  library,
  open,
  POSITION_STEP,
  testUsers,
} from "../fixture.ts";
import { createHandler } from "../handle.ts";
import { TYPE_EXEC, TYPE_LIBRARY } from "../scan.ts";
import { TREE_LIMITS } from "../tree.ts";
import { FakeFiles } from "./fake.fixture.ts";
import { NO_ROW, Row } from "./row.ts";
import type { Context } from "./source.ts";

const shell: Actor = { pid: 100, start: 5_000_000_007n, name: "bash" };
const child: Actor = { pid: 200, start: 6_000_000_001n, name: "bash", parent: shell };
const other: Actor = { pid: 300, start: 7_000_000_001n, name: "ls" };
const SHA256 = new Uint8Array(32).fill(1);

const containerRow = (id: string) => new Row(toBinary(ContainerSchema, create(ContainerSchema, { id })));
const executableRow = (sha256: Uint8Array<ArrayBuffer>) =>
  new Row(toBinary(ExecutableSchema, create(ExecutableSchema, { sha256 })));

/** Everything is keyed by the path of the file. */
function contextOf(): Context & { containers: FakeFiles; executables: FakeFiles } {
  return { containers: new FakeFiles(), executables: new FakeFiles() };
}

function enricherOf(context: Context, bootId = BOOT_ID_HEX, outputBytesMax = 1_000_000): Enricher {
  const limits = TREE_LIMITS;
  return new Enricher({ bootId, lookup: () => undefined, users: testUsers, context, outputBytesMax, limits });
}

function take(enricher: Enricher, events: readonly EventInit[], first = 0) {
  const { outputs } = enricher.take(batchOf(events, first));
  if (outputs === "repeated") throw new Error("taken before");
  return outputs.map(({ bytes }) => ({ batch: fromBinary(BatchSchema, bytes), reader: new BatchReader(bytes) }));
}

test("a container and a file are rows of their tables, once however many point to them", (t) => {
  const context = contextOf();
  context.containers.rows.set("/bin/bash", containerRow("c0"));
  context.executables.rows.set("/bin/bash", executableRow(SHA256));
  const [part] = take(enricherOf(context), [exec(shell, "/bin/bash"), fork(shell, child), open(child), open(shell)]);
  t.deepEqual(
    part?.batch.containers.map(({ id }) => id),
    ["c0"],
  );
  t.deepEqual(
    part?.batch.executables.map(({ sha256 }) => sha256),
    [SHA256],
  );
  for (const process of part?.batch.processes ?? []) t.like(process, { container: 1, executable: 1 });
  t.deepEqual(part?.batch.mapped, []);
});

test("a part of an output that was too large has the rows that it needs, and no others", (t) => {
  const context = contextOf();
  context.containers.rows.set("/bin/bash", containerRow("c0"));
  context.containers.rows.set("/bin/ls", containerRow("c1"));
  const events = [exec(shell, "/bin/bash"), exec(other, "/bin/ls")];
  const parts = take(enricherOf(context, BOOT_ID_HEX, 250), events);
  t.deepEqual(
    parts.map(({ batch }) => batch.containers.map(({ id }) => id)),
    [["c0"], ["c1"]],
  );
  for (const { batch } of parts) t.is(batch.processes[0]?.container, 1);
});

test("a mapped file is told with its event, and only then", (t) => {
  const context = contextOf();
  context.executables.rows.set("/lib/x.so", executableRow(SHA256));
  const [part] = take(enricherOf(context), [open(shell), library(shell, "/lib/x.so"), library(shell, "/lib/y.so")]);
  t.deepEqual(part?.batch.mapped, [0, 1, 0]);
  t.deepEqual(
    [0, 1, 2].map((index) => part?.reader.mapped(index)),
    [-1, 0, -1],
  );
});

test("what is not known is asked before, and a process has it as soon as it is known", (t) => {
  const context = contextOf();
  const enricher = enricherOf(context);
  const scanned = enricher.scan(batchOf([exec(shell, "/bin/bash"), library(shell, "/lib/x.so"), open(shell)]));
  t.not(enricher.prefetch(scanned), undefined);
  t.deepEqual(context.containers.asked, ["/bin/bash"]);
  t.deepEqual(context.executables.asked, ["/bin/bash", "/lib/x.so"]);
  enricher.take(scanned);
  context.containers.rows.set("/bin/bash", containerRow("c0"));
  const [part] = take(enricher, [open(shell)], 3 * POSITION_STEP);
  t.is(part?.batch.containers[0]?.id, "c0");
});

test("a row that changed is told as it is now", (t) => {
  const context = contextOf();
  const row = containerRow("c0");
  context.containers.rows.set("/bin/bash", row);
  const enricher = enricherOf(context);
  take(enricher, [exec(shell, "/bin/bash")]);
  row.bytes = containerRow("c0 with a name").bytes;
  const [part] = take(enricher, [open(shell)], POSITION_STEP);
  t.is(part?.batch.containers[0]?.id, "c0 with a name");
});

test("a snapshot carries containers and files to whoever plays a recording", (t) => {
  const context = contextOf();
  context.containers.rows.set("/bin/bash", containerRow("c0"));
  context.executables.rows.set("/bin/bash", executableRow(SHA256));
  const watched = enricherOf(context);
  take(watched, [exec(shell, "/bin/bash"), fork(shell, child)]);
  const player = new Enricher({
    bootId: "cd".repeat(16),
    lookup: () => undefined,
    users: testUsers,
    elsewhere: contextOf(),
    outputBytesMax: 1_000_000,
    limits: TREE_LIMITS,
  });
  for (const snapshot of watched.snapshot()) player.take(snapshot);
  const [part] = take(player, [open(child)], 10 * POSITION_STEP);
  t.is(part?.batch.containers[0]?.id, "c0");
  t.deepEqual(part?.batch.executables[0]?.sha256, SHA256);
});

test("batches wait for what they need, in their order, and no longer than they may", async (t) => {
  const context = contextOf();
  const published: string[] = [];
  const counts = { batchesWaited: 0, batchesWaitedInVain: 0 };
  const publish = async ({ id }: { id: string }) => void published.push(id.split(":")[2] as string);
  const enricher = enricherOf(context);
  const handle = createHandler(enricher, { publish, counts, waitMsMax: 60_000 });
  context.executables.rows.set("/bin/bash", executableRow(SHA256));
  context.executables.rows.set("/bin/ls", executableRow(SHA256));
  const first = handle(batchOf([exec(shell, "/bin/bash")]));
  const second = handle(batchOf([exec(other, "/bin/ls")], POSITION_STEP));
  const third = handle(batchOf([open(other)], 2 * POSITION_STEP));
  t.deepEqual(context.containers.asked, ["/bin/bash", "/bin/ls"], "both are asked at once");
  context.containers.answer("/bin/ls", containerRow("c1"));
  context.containers.answer("/bin/bash", containerRow("c0"));
  await Promise.all([first, second, third]);
  t.deepEqual(published, ["0-64", "64-128", "128-192"]);
  t.deepEqual(counts, { batchesWaited: 2, batchesWaitedInVain: 0 });
  const late = createHandler(enricher, { publish, counts, waitMsMax: 1 });
  await late(batchOf([exec(shell, "/bin/never")], 3 * POSITION_STEP));
  t.deepEqual(counts, { batchesWaited: 3, batchesWaitedInVain: 1 });
});

test("of another host nobody is asked", (t) => {
  const context = contextOf();
  const enricher = enricherOf(context, "cd".repeat(16));
  const scanned = enricher.scan(batchOf([exec(shell, "/bin/bash")]));
  t.is(enricher.prefetch(scanned), undefined);
  enricher.take(scanned);
  t.deepEqual(context.containers.asked, []);
});

test("a file that only facts need holds up no batch: it is told at once, and again when it is known", async (t) => {
  const context = contextOf();
  context.containers.rows.set("/bin/bash", NO_ROW);
  context.executables.rows.set("/bin/bash", executableRow(SHA256));
  const enricher = enricherOf(context);
  enricher.setInterest([TYPE_EXEC]);
  enricher.setFacts([TYPE_EXEC, TYPE_LIBRARY]);
  const facts: { kinds: (string | undefined)[]; digests: number; lines: number }[] = [];
  const writer = new FactsWriter({
    publish: async (bytes) => {
      for (const { events, executables, mapped, processes } of fromBinary(BatchListSchema, bytes).batches) {
        const digests = mapped.filter((row) => executables[row - 1]?.sha256.length === 32).length;
        facts.push({ kinds: events.map(({ data }) => data.case), digests, lines: processes.length });
      }
    },
    batchesMax: 1,
    bytesMax: 1_000_000,
  });
  const events: number[] = [];
  const handle = createHandler(enricher, {
    publish: async ({ events: count }) => void events.push(count),
    facts: writer,
  });
  const handled = handle(batchOf([exec(shell, "/bin/bash"), library(shell, "/lib/libc.so.6")]));
  t.deepEqual(events, [1], "it went on in the same turn, without the library, which no rule wants");
  await handled;
  t.deepEqual(facts, [{ kinds: ["exec", "library"], digests: 0, lines: 1 }]);
  context.executables.answer("/lib/libc.so.6", executableRow(SHA256));
  await waitFor(() => facts.length === 2, { what: "it is told again" });
  t.deepEqual(facts[1], { kinds: ["library"], digests: 1, lines: 1 });
  await handle(batchOf([library(shell, "/lib/libc.so.6")], 2 * POSITION_STEP));
  t.deepEqual(facts[2], { kinds: ["library"], digests: 1, lines: 1 });
});
