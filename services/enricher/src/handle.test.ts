// The handler of RAW: in order, acknowledged only when stored, never twice.
import { GarbageError } from "@nightjar/stage";
import test from "ava";
import { Enricher } from "./enricher.ts";
import { type Actor, BOOT_ID_HEX, batchOf, exec, open, POSITION_STEP, testUsers } from "./fixture.ts";
import { createHandler } from "./handle.ts";
import { TREE_LIMITS } from "./tree.ts";

/** One turn of the event loop: every callback of a promise that is settled has run then. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const shell: Actor = { pid: 100, start: 5_000n, name: "bash" };

function setUp(outputBytesMax = 1_000_000) {
  const enricher = new Enricher({
    bootId: BOOT_ID_HEX,
    lookup: () => undefined,
    users: testUsers,
    outputBytesMax,
    limits: TREE_LIMITS,
  });
  const published: { id: string; stored: () => void }[] = [];
  const handle = createHandler(enricher, {
    publish: ({ id }) => new Promise((stored) => published.push({ id, stored })),
  });
  const done: number[] = [];
  const run = (name: number, bytes: Uint8Array) => void handle(bytes).then(() => done.push(name));
  return { enricher, published, handle, done, run };
}

test("batches are published in the order they came and each is done when its own output is stored", async (t) => {
  const { published, done, run } = setUp();
  for (let index = 0; index < 3; index++) run(index, batchOf([open(shell)], index * POSITION_STEP));
  t.deepEqual(
    published.map(({ id }) => id.split(":")[2]),
    ["0-64", "64-128", "128-192"],
  );
  published[1]?.stored();
  await turn();
  t.deepEqual(done, [1]);
  published[0]?.stored();
  published[2]?.stored();
  await turn();
  t.deepEqual(done, [1, 0, 2]);
});

test("a batch that comes again while its output is under way waits for it and is not published again", async (t) => {
  const { published, done, run, enricher } = setUp();
  const batch = batchOf([exec(shell, "/bin/bash"), open(shell)]);
  run(1, batch);
  run(2, batch);
  run(3, batchOf([exec(shell, "/bin/bash")]));
  await turn();
  t.is(published.length, 1);
  t.deepEqual(done, []);
  published[0]?.stored();
  await turn();
  t.deepEqual(done.sort(), [1, 2, 3]);
  run(4, batch);
  await turn();
  t.deepEqual(done, [1, 2, 3, 4], "stored before");
  t.is(published.length, 1);
  t.is(enricher.counts.eventsIn, 2);
});

test("a batch in parts is done when all of them are stored", async (t) => {
  const { published, done, run } = setUp(250);
  run(1, batchOf([exec(shell, "/bin/bash"), open(shell), open(shell), exec(shell, "/bin/sh")]));
  t.true(published.length > 1);
  for (const { stored } of published.slice(1)) stored();
  await turn();
  t.deepEqual(done, []);
  published[0]?.stored();
  await turn();
  t.deepEqual(done, [1]);
});

test("garbage is told apart", async (t) => {
  const { handle } = setUp();
  await t.throwsAsync(handle(Uint8Array.of(1, 2, 3)), { instanceOf: GarbageError });
});
